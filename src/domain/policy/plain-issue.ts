import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';

type Issue = z.core.$ZodIssue;
type Code<Name extends Issue['code']> = Extract<Issue, { code: Name }>;

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'empty',
};
/** What the size of a value is counted in. */
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' };

/** What is wrong with a value of this document, in plain words rather than those of the schema library. */
export function plainIssue(issue: Issue, document: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return plainType(issue, valueAt(document, issue.path));
    case 'invalid_value':
      return plainChoice(issue, valueAt(document, issue.path));
    case 'too_small':
      return `must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownField(key, [])).join(', ');
    case 'invalid_union':
      return plainUnion(issue, document);
    default:
      return issue.message;
  }
}

/** A name that is not known, with the one that was most likely meant. */
export function unknownField(key: string, known: Iterable<string>): string {
  const meant = nearestName(key, known);
  return meant === null ? `unknown field "${key}"` : `unknown field "${key}": did you mean "${meant}"?`;
}

function plainType(issue: Code<'invalid_type'>, value: unknown): string {
  // A schema that says something itself says it better.
  if (!issue.message.startsWith('Invalid input')) return issue.message;
  if (value === undefined) return 'is missing';
  return `must be ${NAMES[issue.expected] ?? issue.expected}, not ${kindOf(value)}`;
}

function plainChoice({ values }: Code<'invalid_value'>, value: unknown): string {
  if (value === undefined) return `is missing: one of ${values.join(', ')}`;
  const meant = typeof value === 'string' ? nearestChoice(value, values.map(String)) : null;
  const suggestion = meant === null ? '' : `: did you mean ${meant}?`;
  return `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}${suggestion}`;
}

/** Also where it is only the case of the letters that differs. */
function nearestChoice(value: string, values: readonly string[]): string | null {
  return values.find((each) => each.toLowerCase() === value.toLowerCase()) ?? nearestName(value, values);
}

/** What is wrong with it as the kind that it is most like: the one whose mistake lies deepest. */
function plainUnion({ errors, path }: Code<'invalid_union'>, document: unknown): string {
  let deepest: Issue | null = null;
  for (const issue of errors.flat())
    if (deepest === null || issue.path.length > deepest.path.length) deepest = issue;
  if (deepest === null) return 'is none of what it can be';
  const within = deepest.path.join('.');
  const words = plainIssue({ ...deepest, path: [...path, ...deepest.path] }, document);
  return within === '' ? words : `${within}: ${words}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return `${value}`;
  return NAMES[typeof value] ?? typeof value;
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}
