import { z } from 'zod';
import { type PolicyMistake, RULE_ID } from './document.ts';
import { type Parameters, unreadParameters } from './parameters.ts';
import { plainIssue, unknownField } from './plain-issue.ts';

/**
 * The conditions in `document`, whatever its shape, so that their mistakes are reported together with those
 * in the shape.
 */
export function conditionsOf(document: unknown): { index: number; when: string }[] {
  return rulesOf(document).map((rule, index) => ({ index, when: textField(rule, 'when') ?? 'false' }));
}

/** Adds a mistake for each rule whose id another has before it. */
export function refuseDuplicates(document: unknown, mistakes: PolicyMistake[]): void {
  const seen = new Set<string>();
  rulesOf(document).forEach((rule, index) => {
    const id = textField(rule, 'id');
    if (id === null) return;
    if (seen.has(id)) {
      mistakes.push({
        path: ['rules', index, 'id'],
        isKey: false,
        offset: null,
        message: `duplicate rule id "${id}"`,
      });
    }
    seen.add(id);
  });
}

/** Adds a mistake for each parameter that nothing reads. */
export function refuseUnreadParameters(parameters: Parameters, mistakes: PolicyMistake[]): void {
  for (const name of unreadParameters(parameters)) {
    const message = `no rule reads params.${name}: use it or remove it`;
    mistakes.push({ path: ['parameters', name], isKey: true, offset: null, message });
  }
}

function rulesOf(document: unknown): readonly unknown[] {
  const rules =
    typeof document === 'object' && document !== null && 'rules' in document ? document.rules : [];
  return Array.isArray(rules) ? rules : [];
}

function textField(rule: unknown, field: 'id' | 'when'): string | null {
  const value: unknown = typeof rule === 'object' && rule !== null ? Reflect.get(rule, field) : null;
  return typeof value === 'string' ? value : null;
}

/** What is wrong with the shape of a document that was held to this schema. */
export function toMistakes(
  issue: z.core.$ZodIssue,
  document: unknown,
  schema: z.core.$ZodType,
): PolicyMistake[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(schema, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      isKey: true,
      offset: null,
      message: unknownField(key, known),
    }));
  }
  const meant = issue.code === 'invalid_union' ? meantKind(issue) : null;
  if (meant !== null)
    return meant.flatMap((inner) =>
      toMistakes({ ...inner, path: [...issue.path, ...inner.path] }, document, schema),
    );
  return [{ path, isKey: issue.code === 'invalid_key', offset: null, message: plainIssue(issue, document) }];
}

/** The issues of the one kind of a union that the value is of; null where it is of none, or of several. */
function meantKind({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | null {
  const isWithin = (issue: z.core.$ZodIssue) => issue.path.length > 0 || issue.code === 'unrecognized_keys';
  const kinds = errors.filter((issues) => issues.length > 0 && issues.every(isWithin));
  return kinds.length === 1 ? (kinds[0] ?? null) : null;
}

/** The fields that there are at a place of a document of this schema. */
function knownFields(schema: z.core.$ZodType, path: readonly (string | number)[]): readonly string[] {
  let found = kindsOf(schema);
  const memberOf = ({ shape }: z.ZodObject, name: string | number): z.core.$ZodType | undefined =>
    shape[name] as z.core.$ZodType | undefined;
  for (const step of path)
    found = found.flatMap((kind) => {
      if (kind instanceof z.ZodObject) return kindsOf(memberOf(kind, step));
      if (kind instanceof z.ZodArray) return kindsOf(kind.element);
      return kind instanceof z.ZodRecord ? kindsOf(kind.valueType) : [];
    });
  return found.flatMap((kind) => (kind instanceof z.ZodObject ? Object.keys(kind.shape) : []));
}

/** What a value of the schema can be, without what says that it may be left out. */
function kindsOf(schema: z.core.$ZodType | undefined): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return kindsOf(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(kindsOf);
  return [schema].filter((one) => one !== undefined);
}

/** How people call what stands at a path: a rule by its id, where it has one. */
export function placeName(document: unknown, [first, index, ...rest]: readonly (string | number)[]): string {
  const id = first === 'rules' ? textField(rulesOf(document)[Number(index)], 'id') : null;
  if (id === null || !RULE_ID.test(id))
    return [first, index, ...rest].filter((step) => step !== undefined).join('.');
  return rest.length === 0 ? `rule ${id}` : `rule ${id}, ${rest.join('.')}`;
}
