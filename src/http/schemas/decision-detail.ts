import { z } from 'zod';
import type { LabelledDecision } from '../../application/decision-log/decision-log.ts';
import type { KnownPolicy } from '../../application/decision-log/known-policies.ts';
import { type DecisionRecord, decisionRecordSchema } from '../../domain/decision-log/decision-record.ts';
import { judgeWithout, type WithoutEachProvider } from '../../domain/decision-log/judge-without.ts';
import { labelInForce, outcomeLabelSchema } from '../../domain/decision-log/outcome-label.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { labelSchema } from './decisions.ts';

const record = decisionRecordSchema.shape;

const ruleSchema = record.rules.unwrap().element.extend({
  condition: z
    .string()
    .nullable()
    .describe('The rule as it stood in the policy; null where that is not known any more.'),
  parameters: z
    .array(z.object({ name: z.string(), value: z.string().describe('As it is written in the policy.') }))
    .describe('The parameters that the condition reads.'),
  description: z.string().nullable(),
  verdict: z.enum(VERDICTS).nullable().describe('What the rule contributes when it is true.'),
  reason: z.string().nullable(),
});

const withoutProviderSchema = z.object({
  provider: z.string(),
  decision: z.enum(VERDICTS),
  changes: z.boolean().describe('It is another one than what was decided.'),
  reasons: record.reasons,
});

/**
 * The answer of GET /v1/decisions/{decision_id}: the whole record, what the rules said, what became of it,
 * and what each provider changed.
 */
export const decisionDetailSchema = decisionRecordSchema.extend({
  rules: z.array(ruleSchema),
  label: labelSchema,
  labels: z.array(outcomeLabelSchema).describe('Every label that was given, the latest last.'),
  policy_known: z
    .boolean()
    .describe('The policy of the decision is in force, or its text was kept: `rules` has it.'),
  without: z
    .object({
      available: z.boolean(),
      why: z.string().nullable().describe('Why it is not available; null where it is.'),
      providers: z
        .array(withoutProviderSchema)
        .describe('One for each provider that was asked, in registry order.'),
    })
    .describe(
      'What would have been decided had a provider not answered (`unavailable`), by the policy of the decision and the stored signals.',
    ),
});

/** All that is kept of one decision, as the wire spells it. */
export type DecisionDetail = z.output<typeof decisionDetailSchema>;

const FORGOTTEN: WithoutEachProvider = { why: 'the policy of the decision was not kept', providers: [] };
const REFUSED: WithoutEachProvider = {
  why: 'this version does not accept the policy of the decision',
  providers: [],
};

/** A decision in full. `policy` is the one it was made by, or null where that is not known any more. */
export function toDecisionDetail(
  { record: made, labels }: LabelledDecision,
  policy: KnownPolicy | null,
  telemetryProviders: readonly string[],
): DecisionDetail {
  const { why, providers } = withoutEach(policy, made, telemetryProviders);
  const sources = new Map(policy?.document.rules.map((rule) => [rule.id, rule]));
  const compiled = new Map(policy?.compiled?.rules.map((rule) => [rule.source.id, rule]));
  const rules = made.rules.map((traced) => {
    const source = sources.get(traced.rule);
    const parameters = compiled.get(traced.rule)?.parameters ?? [];
    return {
      ...traced,
      condition: source?.when ?? null,
      parameters: parameters.map((name) => ({ name, value: writtenValue(policy, name) })),
      description: source?.description ?? null,
      verdict: source?.verdict ?? null,
      reason: source?.reason ?? null,
    };
  });
  return {
    ...made,
    rules,
    label: labelInForce(labels),
    labels: [...labels],
    policy_known: policy !== null,
    without: {
      available: why === null,
      why,
      providers: [...providers],
    },
  };
}

function withoutEach(
  policy: KnownPolicy | null,
  made: DecisionRecord,
  telemetryProviders: readonly string[],
): WithoutEachProvider {
  if (policy === null) return FORGOTTEN;
  return policy.compiled === null ? REFUSED : judgeWithout(policy.compiled, made, telemetryProviders);
}

function writtenValue(policy: KnownPolicy | null, name: string): string {
  const value = policy?.document.parameters[name]?.value;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
