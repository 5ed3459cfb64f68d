import { z } from 'zod';
import { type CompiledPolicy, compilePolicy } from '../../src/domain/policy/compile.ts';
import type { CompileOptions } from '../../src/domain/policy/compile-condition.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { SMALL_WORLD } from './reference-data.ts';

const signals = z.object({
  found: z.boolean(),
  action: z.string().optional(),
  asn: z.number().int().optional(),
  score: z.number().optional(),
  reasons: z.array(z.string()).optional(),
  net: z.object({ country: z.string().optional() }).optional(),
});

/** Two small providers, `a` and `b`, for tests of the policy engine alone. */
export const COMPILE_OPTIONS: CompileOptions = {
  providers: [
    { id: 'a', signals },
    { id: 'b', signals },
  ],
  hash: 'sha256:test',
  compilePattern: compileLinearPattern,
  countriesOfTimeZone: SMALL_WORLD.countriesOfTimeZone,
};

/** One rule with everything but its condition filled in. */
export function rule(when: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: 'the-rule', when, verdict: 'BLOCK', reason: 'THE_REASON', ...fields };
}

/** A policy document of these rules, otherwise ALLOW. */
export function documentOf(
  rules: readonly Record<string, unknown>[],
  fields: Record<string, unknown> = {},
): Record<string, unknown> {
  return { policy: 'test', otherwise: 'ALLOW', rules, ...fields };
}

/** Compiles a document that is expected to be good. */
export function compiled(document: unknown): CompiledPolicy {
  const result = compilePolicy(document, COMPILE_OPTIONS);
  if (!result.ok) throw new Error(JSON.stringify(result.mistakes));
  return result.value;
}

/**
 * Compiles a generated document; null where it is refused for its cost alone, as some deep conditions over
 * lists and outcomes are.
 */
export function compiledIfCheap(document: unknown): CompiledPolicy | null {
  const result = compilePolicy(document, COMPILE_OPTIONS);
  if (result.ok) return result.value;
  if (result.mistakes.every(({ message }) => /^can take \d+ steps/.test(message))) return null;
  throw new Error(JSON.stringify(result.mistakes));
}

/** Evidence of a provider that answered. */
export function ok(signals: Record<string, unknown> = {}): PolicyEvidence {
  return { outcome: 'ok', signals: { found: true, ...signals } as PolicyEvidence['signals'] };
}

export const NOT_FOUND: PolicyEvidence = { outcome: 'not_found', signals: { found: false } };
export const SKIPPED: PolicyEvidence = { outcome: 'skipped', signals: null };
export const TIMEOUT: PolicyEvidence = { outcome: 'timeout', signals: null };
