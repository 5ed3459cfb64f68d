import type { PolicyMistake } from '../policy/document.ts';
import { DURATION_MISTAKE, toSeconds } from '../policy/duration.ts';

type Path = readonly (string | number)[];

/** Where the ages of a case stand, and what they are counted to. */
interface AgeContext {
  /** Unix milliseconds; null where the file has no `now`. */
  readonly nowMs: number | null;
  readonly mistakes: PolicyMistake[];
  /** Whether a time after `now` is a mistake: our own clock never gives one. */
  readonly isOurs: boolean;
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;

/**
 * The signals with every member in seconds as a number: a duration is its seconds; a time is the Unix time of it
 * in `…_unix_seconds`, the time until it in `…_in_seconds`, and the time since it in any other.
 */
export function resolveSeconds<Value>(
  signals: Readonly<Record<string, Value>>,
  path: Path,
  context: AgeContext,
): Readonly<Record<string, Value | number>> {
  return Object.fromEntries(
    Object.entries(signals).map(([name, value]) => {
      const isAge = name.endsWith('_seconds') && typeof value === 'string' && value !== 'lost';
      return [name, isAge ? toNumber(name, value, [...path, name], context) : value];
    }),
  );
}

function toNumber(name: string, text: string, path: Path, { nowMs, mistakes, isOurs }: AgeContext): number {
  const refuse = (message: string) => {
    mistakes.push({ path, isKey: false, offset: null, message });
    return 0;
  };
  if (!TIME.test(text)) return toSeconds(text) ?? refuse(`${DURATION_MISTAKE}; or a number, or a time`);
  const unixMs = Date.parse(text);
  if (Number.isNaN(unixMs) || !/(Z|[+-]\d{2}:\d{2})$/.test(text))
    return refuse('must be a time with its offset from UTC, such as "2026-01-31T12:00:00Z"');
  if (name.endsWith('_unix_seconds')) return Math.floor(unixMs / 1000);
  if (nowMs === null) return refuse('a time needs `now`, in the case or in the file, to be an age');
  const since = Math.floor((nowMs - unixMs) / 1000);
  if (name.endsWith('_in_seconds')) return -since;
  return since < 0 && isOurs ? refuse('is a time after `now`') : since;
}
