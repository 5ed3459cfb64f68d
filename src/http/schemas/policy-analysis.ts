import { z } from 'zod';
import type { AnalysisState } from '../../application/policy-analysis/analyses.ts';
import { FINDING_KINDS } from '../../domain/policy-analysis/finding.ts';
import { VERDICTS } from '../../domain/verdict.ts';

const STATES = ['running', 'done', 'failed'] as const satisfies readonly AnalysisState['kind'][];

/** The answer of GET /v1/policies/{hash}/analysis. */
export const policyAnalysisSchema = z.object({
  hash: z.string(),
  state: z
    .enum(STATES)
    .describe('`running`: ask again in some seconds. `failed`: it took too long, or too much memory.'),
  findings: z
    .array(
      z.object({
        kind: z.string().describe(Object.keys(FINDING_KINDS).join(', ')),
        severity: z.enum(['error', 'warning', 'note']),
        rule: z.string().nullable().describe('Null where it is about the policy.'),
        message: z.string(),
        proven: z
          .boolean()
          .describe('False where it may be so, and no evidence could be given that shows it.'),
      }),
    )
    .describe('As `riskgate analyze` tells them, without the evidence that shows them.'),
  verdicts: z
    .array(z.object({ verdict: z.enum(VERDICTS), combinations: z.number() }))
    .describe('How many combinations of evidence come to each verdict.'),
  limits: z.array(z.string()).describe('What the values that were tried do not stand for.'),
  complete: z.boolean().describe('False until it is done, and where a bound was reached.'),
});

const NOTHING = { findings: [], verdicts: [], limits: [], complete: false };

/** How the analysis of a policy stands, as callers read it. */
export function toAnalysisBody(hash: string, state: AnalysisState): z.output<typeof policyAnalysisSchema> {
  if (state.kind !== 'done') return { hash, state: state.kind, ...NOTHING };
  const { findings, verdicts, limits, isComplete } = state.analysis;
  return {
    hash,
    state: 'done',
    findings: findings.map(({ kind, severity, rule, message, isUnproven }) => ({
      kind,
      severity,
      rule: rule ?? null,
      message,
      proven: isUnproven !== true,
    })),
    verdicts: [...verdicts],
    limits: [...limits],
    complete: isComplete,
  };
}
