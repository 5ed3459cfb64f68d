import type { z } from 'zod';
import { type PolicyMistake, policyDocumentSchema, RULE_ID, ruleSchema } from './document.ts';
import { type Parameters, parameterSchema, unreadParameters } from './parameters.ts';
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

/** What is wrong with the shape of a document. */
export function toMistakes(issue: z.core.$ZodIssue, document: unknown): PolicyMistake[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code !== 'unrecognized_keys')
    return [
      { path, isKey: issue.code === 'invalid_key', offset: null, message: plainIssue(issue, document) },
    ];
  const known = knownFields(path);
  return issue.keys.map((key) => ({
    path: [...path, key],
    isKey: true,
    offset: null,
    message: unknownField(key, known),
  }));
}

/** The fields that there are at a place of a document. */
function knownFields([place]: readonly (string | number)[]): readonly string[] {
  if (place === undefined) return Object.keys(policyDocumentSchema.shape);
  return Object.keys(place === 'rules' ? ruleSchema.shape : parameterSchema.shape);
}

/** How people call what stands at a path: a rule by its id, where it has one. */
export function placeName(document: unknown, [first, index, ...rest]: readonly (string | number)[]): string {
  const id = first === 'rules' ? textField(rulesOf(document)[Number(index)], 'id') : null;
  if (id === null || !RULE_ID.test(id))
    return [first, index, ...rest].filter((step) => step !== undefined).join('.');
  return rest.length === 0 ? `rule ${id}` : `rule ${id}, ${rest.join('.')}`;
}
