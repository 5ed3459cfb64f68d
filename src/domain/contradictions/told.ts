import type { Because, Found, Side, Told } from './contradiction.ts';

/** The text at this path of a provider's signals. */
export function textOf(side: Side, ...path: readonly string[]): Told<string> {
  return read(side, path, (value): value is string => typeof value === 'string');
}

/** The finite number at this path. */
export function numberOf(side: Side, ...path: readonly string[]): Told<number> {
  return read(side, path, (value): value is number => Number.isFinite(value));
}

/** What is true or false at this path. */
export function flagOf(side: Side, ...path: readonly string[]): Told<boolean> {
  return read(side, path, (value): value is boolean => typeof value === 'boolean');
}

/** The list of texts at this path. */
export function textsOf(side: Side, ...path: readonly string[]): Told<readonly string[]> {
  return read(
    side,
    path,
    (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  );
}

function read<Value>(
  side: Side,
  path: readonly string[],
  isRight: (value: unknown) => value is Value,
): Told<Value> {
  if (side === 'unknown') return null;
  if (side === 'none') return undefined;
  let value: unknown = side;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return null;
    value = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    if (value === undefined) return undefined;
  }
  return isRight(value) ? value : null;
}

/** What two sides were judged as, before it is said why. */
interface Judged {
  readonly result: boolean;
}

/** Judges both sides. Where one is not said there is nothing to compare, whatever was lost of the other. */
export function compare<Left, Right, Verdict extends Judged = Found>(
  left: Told<Left>,
  right: Told<Right>,
  judge: (left: Left, right: Right) => Verdict | 'unknown' | 'none',
): Verdict | 'unknown' | 'none' {
  if (left === undefined || right === undefined) return 'none';
  if (left === null || right === null) return 'unknown';
  return judge(left, right);
}

/** What was found, with both sides. */
export function found(result: boolean, because: Because): Found {
  return { result, because };
}

/** True where one of them is; otherwise unknown, false or none, by the first that one of them is. */
export function anyOf<Verdict extends Judged = Found>(
  findings: readonly (Verdict | 'unknown' | 'none')[],
): Verdict | 'unknown' | 'none' {
  return findings.reduce<Verdict | 'unknown' | 'none'>(heavierOf, 'none');
}

/** Of two findings the one that counts for `anyOf`, the first where both count the same. */
export function heavierOf<Verdict extends Judged = Found>(
  first: Verdict | 'unknown' | 'none',
  second: Verdict | 'unknown' | 'none',
): Verdict | 'unknown' | 'none' {
  return weightOf(second) > weightOf(first) ? second : first;
}

function weightOf(finding: Judged | 'unknown' | 'none'): number {
  if (finding === 'none') return 0;
  if (finding === 'unknown') return 2;
  return finding.result ? 3 : 1;
}
