import type { PolicyMistake } from '../policy/document.ts';
import { toMistakes } from '../policy/document-shape.ts';
import { nearestName } from '../policy/nearest-name.ts';
import { VERDICTS } from '../verdict.ts';
import { type Expected, expectedSchema } from './case-schema.ts';

type Path = readonly (string | number)[];

/** The names along one side of a matrix, and what one of them is called. */
interface Side {
  readonly what: 'subject' | 'situation';
  readonly names: readonly string[];
}

/** What each cell of a matrix expects, by subject and situation. Adds what is wrong with it to the mistakes. */
export function readDecisions(
  decisions: unknown,
  [subjects, situations]: readonly [readonly string[], readonly string[]],
  path: Path,
  mistakes: PolicyMistake[],
): ReadonlyMap<string, ReadonlyMap<string, Expected>> {
  const cells = new Map(subjects.map((subject) => [subject, new Map<string, Expected>()]));
  const rows = spread(decisions, { what: 'subject', names: subjects }, path, mistakes);
  for (const [subject, [row, rowPath]] of rows) {
    const own = spread(row, { what: 'situation', names: situations }, rowPath, mistakes);
    for (const [situation, [cell, cellPath]] of own) {
      const expected = readExpected(cell, cellPath, mistakes);
      if (expected !== null) cells.get(subject)?.set(situation, expected);
    }
  }
  return cells;
}

/** What is said of each name, with where it is said: the same of all, or by name. */
function spread(
  value: unknown,
  { what, names }: Side,
  path: Path,
  mistakes: PolicyMistake[],
): ReadonlyMap<string, readonly [unknown, Path]> {
  if (!isMapping(value) || Object.hasOwn(value, 'decision'))
    return new Map(names.map((name) => [name, [value, path] as const]));
  for (const key of Object.keys(value)) {
    if (names.includes(key)) continue;
    const meant = nearestName(key, names);
    const message = `there is no ${what} "${key}"${meant === null ? '' : `: did you mean "${meant}"?`}`;
    mistakes.push({ path: [...path, key], isKey: true, offset: null, message });
  }
  const told = names.filter((name) => Object.hasOwn(value, name));
  for (const name of names)
    if (!told.includes(name))
      mistakes.push({ path, isKey: true, offset: null, message: `no decision for the ${what} "${name}"` });
  return new Map(told.map((name) => [name, [Reflect.get(value, name), [...path, name]] as const]));
}

function readExpected(value: unknown, path: Path, mistakes: PolicyMistake[]): Expected | null {
  const isShort = !isMapping(value);
  const given = isShort ? { decision: value } : value;
  const parsed = expectedSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const found = parsed.error.issues.flatMap((issue) => toMistakes(issue, given, expectedSchema));
  const isAbsent = value === null;
  const message = `a verdict is missing: one of ${VERDICTS.join(', ')}`;
  // The same is said of all cells that one value is for.
  if (mistakes.some((known) => known.path.join('\n').startsWith(path.join('\n')))) return null;
  mistakes.push(
    ...found.map((each) => ({
      ...each,
      path: isShort ? path : [...path, ...each.path],
      message: isAbsent ? message : each.message,
    })),
  );
  return null;
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
