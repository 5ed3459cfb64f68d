import { z } from 'zod';
import { OUTCOMES } from '../evidence.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import type { PolicyEvidence } from '../policy/evidence-row.ts';
import type { Judgement } from '../policy/judgement.ts';
import { type RequestSignals, requestSignalsSchema } from '../policy/request-signals.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';
import { VERDICTS } from '../verdict.ts';

const fields = z.record(z.string(), z.unknown());

/** All that the engine is given for one decision, with nothing filled in, and what it is expected to decide. */
export const witnessSchema = z.strictObject({
  evidence: z.record(
    z.string(),
    z.strictObject({
      outcome: z.enum(OUTCOMES),
      suspect: z.boolean().optional(),
      signals: fields.optional(),
    }),
  ),
  request: requestSignalsSchema
    .extend({ ipUnreadable: z.boolean().optional(), placeLost: z.boolean().optional() })
    .strict(),
  facts: z.record(z.string(), z.union([z.enum(['unknown', 'none']), fields])),
  expect: z
    .strictObject({ verdict: z.enum(VERDICTS).optional(), degraded: z.boolean().optional() })
    .optional(),
});

/** A combination of evidence that shows what a policy decides. */
export type Witness = z.output<typeof witnessSchema>;

/** What the engine decides of a witness. A provider that it does not name is skipped. */
export function judgeWitness(policy: CompiledPolicy, witness: Witness): Judgement {
  return evaluatePolicy(policy, ...toEngineInput(policy, witness));
}

/** What the engine takes, in its order. */
export function toEngineInput(
  { providerIds }: CompiledPolicy,
  { evidence, request, facts }: Witness,
): readonly [readonly PolicyEvidence[], RequestSignals, SubjectFacts] {
  const pieces = providerIds.map((id): PolicyEvidence => {
    const { outcome = 'skipped', suspect = false, signals = null } = evidence[id] ?? {};
    return { outcome, suspect, signals: signals as PolicyEvidence['signals'] };
  });
  return [pieces, { ...request } as RequestSignals, facts as SubjectFacts];
}
