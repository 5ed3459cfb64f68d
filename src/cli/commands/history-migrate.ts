import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';
import { findEngineOf, toFailure } from '../history/engine-option.ts';

/** Moves a log to another engine. */
export const historyMigrate: CliCommand = {
  name: 'history migrate',
  summary: 'Copy all that a log holds into another one',
  details:
    'With ids, order, labels and the texts of policies; what is left out is said, and why. Each id is copied once, so that it can be run while the old log still fills, and again after the switch. A service by its URL gives what its log holds, for which RISKGATE_API_KEY is a key with scope read: so the log in memory can be kept before a restart. The texts of policies do not come that way.',
  options: [
    {
      flags: '--from <log>',
      description: 'sqlite, postgres, redis, file, or the URL of a service',
      isRequired: true,
    },
    {
      flags: '--to <engine>',
      description: 'sqlite or postgres; otherwise the one that a service would read',
    },
  ],
  examples: [
    'REDIS_URL=redis://… DATA_DIR=/var/lib/riskgate riskgate history migrate --from redis --to sqlite',
    'RISKGATE_API_KEY=… HISTORY_URL=postgres://… riskgate history migrate --from https://riskgate.internal',
  ],
  exits: { 1: 'something was left out' },
  run: async ({ options }, context) => {
    const { requireLasting } = await import('../history/target-engine.ts');
    const from = String(options['from']);
    const to = requireLasting(await findEngineOf(context, options['to']));
    const { openSource } = await import('../history/open-source.ts');
    const { copyHistory, reportCopy } = await import('../history/copy-history.ts');
    if (from === to.definition.id)
      throw new CommandFailure('usage', `the records are in ${from} already`, EXIT_CODES.usage);
    const signal = context.interruption();
    try {
      const source = await openSource(from, context);
      try {
        return reportCopy(to, await copyHistory(to, source, signal), source.left);
      } finally {
        await source.close();
      }
    } catch (error) {
      throw toFailure(error);
    }
  },
};
