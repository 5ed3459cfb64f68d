import type { CliCommand } from '../command.ts';
import { ENGINE_OPTION, FILE_OPTION, toFailure } from '../history/engine-option.ts';
import { readSpan, SPAN_OPTIONS } from '../history/span-options.ts';

/** Says what a policy would have decided of kept decisions. */
export const backtest: CliCommand = {
  name: 'backtest',
  summary: 'Say what a policy would have decided of kept decisions',
  details:
    'From the verdicts that were made to those of the policy; which rules are new or lost; by caller, action and hour; the accounts that change most, by their hashes; ids of decisions to look at with `explain`. Of labelled decisions precision and recall, and the cost where costs are given. A decision that cannot be judged, since the policy reads what was not recorded, is counted by the reason and is in nothing else. A history in SQLite is counted class by class, in threads of their own; other logs one by one.',
  arguments: [{ name: 'file', description: 'the policy' }],
  options: [
    ...SPAN_OPTIONS,
    {
      flags: '--where <filters>',
      description:
        'only these decisions, with the filters of GET /v1/decisions: `caller=shop&action=login&label=fraud`',
    },
    {
      flags: '--costs <file>',
      description: 'what each verdict costs by label, as YAML or JSON: `fraud: {ALLOW: 100, CHALLENGE: 5}`',
    },
    ENGINE_OPTION,
    FILE_OPTION,
  ],
  exits: {
    0: 'no verdict changes',
    1: 'some do, or not one decision could be judged',
    2: 'the file is no policy, or a filter none',
  },
  examples: [
    'riskgate backtest policies/strict.yaml --since 2026-03-01T00:00:00Z',
    "riskgate backtest my.yaml --where 'action=payout&caller=shop' --json | jq .transitions",
  ],
  run: async ({ args: [file = ''], options }, context) => {
    const { requirePolicy } = await import('../policy/require-policy.ts');
    const { readWhere } = await import('../history/read-where.ts');
    const { readCosts } = await import('../history/read-costs.ts');
    const { backtestLog } = await import('../history/backtest-log.ts');
    const { showBacktest } = await import('../history/show-backtest.ts');
    const { toReport } = await import('../../domain/backtest/to-report.ts');
    const { since, until } = readSpan(options);
    const filter = {
      ...readWhere(options['where']),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
    };
    const costs = readCosts(options['costs']);
    const policy = requirePolicy(file);
    try {
      const { tally, badLines } = await backtestLog(policy, filter, options, context);
      return showBacktest(toReport(tally, costs), policy.hash, badLines);
    } catch (error) {
      throw toFailure(error);
    }
  },
};
