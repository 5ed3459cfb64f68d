import type { ReplayReport } from '../../application/backtest/replay-decisions.ts';
import type { DifferenceCause, ReplayDifference } from '../../domain/backtest/replay-record.ts';
import { type CliCommand, type CliReport, CommandFailure, EXIT_CODES } from '../command.ts';
import { ENGINE_OPTION, FILE_OPTION, toFailure } from '../history/engine-option.ts';
import { readSpan, SPAN_OPTIONS } from '../history/span-options.ts';

/** Judges kept decisions again by the policies that they were made with. */
export const replay: CliCommand = {
  name: 'replay',
  summary: 'Judge kept decisions again by the policies that they were made with',
  details:
    'This version is to come to the same verdict, reasons, waivers and results of rules as the one that decided, byte for byte: run it with a new version before that is live. The first decision that differs is shown with the rule that does, and what that reads. A decision that cannot be judged again is counted by the reason: a rule reads an address, which is never recorded, or the text of the policy is not kept.',
  arguments: [
    {
      name: 'policy',
      description: 'policies that decisions were made with, where the log does not keep their texts',
      isOptional: true,
      isMany: true,
    },
  ],
  options: [...SPAN_OPTIONS, ENGINE_OPTION, FILE_OPTION],
  exits: {
    0: 'all that could be judged came to the same; those that could not are counted',
    1: 'a decision differs, or not one could be judged',
  },
  examples: [
    'riskgate replay --since 2026-03-01T00:00:00Z',
    'riskgate replay --file decisions.ndjson.zst policies/default.yaml',
  ],
  run: async ({ args, options }, context) => {
    const filter = readSpan(options);
    const { openHistory } = await import('../history/read-history.ts');
    const { findPolicies } = await import('../history/find-policies.ts');
    const { replayDecisions } = await import('../../application/backtest/replay-decisions.ts');
    try {
      const history = await openHistory(options, filter, context);
      try {
        const policyOf = findPolicies(args, history.policies);
        const signal = context.interruption();
        const report = await replayDecisions({ pages: history.pages, policyOf, signal });
        if (signal.aborted) throw new CommandFailure('interrupted', 'interrupted');
        return toReport(report, history.badLines());
      } finally {
        await history.close();
      }
    } catch (error) {
      throw toFailure(error);
    }
  },
};

function toReport(report: ReplayReport, bad: number): CliReport {
  const { decisions, same, different, causes, first, notReplayable } = report;
  const reasons = [...notReplayable].map(([reason, count]) => ({ reason, count }));
  if (bad > 0) reasons.push({ reason: 'a line that is no record', count: bad });
  reasons.sort((left, right) => right.count - left.count);
  const isGood = different === 0 && (same > 0 || reasons.length === 0);
  return {
    exitCode: isGood ? EXIT_CODES.ok : EXIT_CODES.findings,
    lines: [
      `${decisions} decisions: ${same} came to the same, ${different} did not.`,
      ...[...causes].map(([cause, count]) => `  ${count} differ: ${CAUSES[cause]}`),
      ...reasons.map(({ reason, count }) => `  ${count} not replayable: ${reason}`),
      ...(first === null ? [] : describe(first)),
    ],
    json: {
      ok: isGood,
      decisions,
      same,
      different,
      causes: Object.fromEntries(causes),
      not_replayable: reasons,
      first: first && toJson(first),
    },
  };
}

const CAUSES = {
  other_rules: 'the record has results of rules that its policy does not have in this place',
  rule: 'the condition comes to something else of the same values',
  combination: 'every rule comes to the same, and what follows from them does not',
  wording: 'all is the same but the text that says why a rule is unknown or inert',
} as const satisfies Record<DifferenceCause, string>;

function describe(first: ReplayDifference): readonly string[] {
  const { decisionId, decidedAt, engine, policy, field, recorded, found, cause, condition, values } = first;
  return [
    `The first that differs: ${decisionId} of ${decidedAt}, by riskgate ${engine} and policy ${policy}`,
    `  ${field}: ${CAUSES[cause]}`,
    `  - ${JSON.stringify(recorded)}`,
    `  + ${JSON.stringify(found)}`,
    ...(condition === null ? [] : [`  when ${condition}`]),
    ...values.map(({ name, value, why }) => `    ${name} = ${why ?? JSON.stringify(value)}`),
  ];
}

function toJson(first: ReplayDifference): object {
  const { decisionId, decidedAt, field, recorded, found, cause, condition, values, engine, policy } = first;
  const made = { decision_id: decisionId, decided_at: decidedAt, engine, policy };
  return { ...made, field, recorded, found, cause, condition, values };
}
