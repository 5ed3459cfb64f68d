import type { z } from 'zod';
import type { PolicyMistake } from './document.ts';
import { type Parameters, unreadParameters } from './parameters.ts';

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
export function toMistakes(issue: z.core.$ZodIssue): PolicyMistake[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code !== 'unrecognized_keys')
    return [{ path, isKey: false, offset: null, message: issue.message }];
  return issue.keys.map((key) => ({
    path: [...path, key],
    isKey: true,
    offset: null,
    message: `unknown field "${key}"`,
  }));
}
