import type { Logger } from 'pino';
import { z } from 'zod';
import { defineSink } from '../definition.ts';
import { HISTORY_SETTINGS } from '../history-settings.ts';
import { findDataDirectoryMistakes, toHistoryDirectory } from './history-directory.ts';
import type { SqliteLogEvent } from './sqlite-log.ts';

/** Files of SQLite, one a day, that this process alone writes and reads: the history outlives it. */
export const sqlite = defineSink({
  id: 'sqlite',
  variables: {
    dataDirectory: {
      env: 'DATA_DIR',
      schema: z.string().min(1),
      description:
        'The directory of the sink `sqlite`, for this process alone: the history is in its folder `history`, one file a day. Where it is set, `DECISION_LOG` is `sqlite` unless it says otherwise.',
    },
    ...HISTORY_SETTINGS,
  },
  isDurable: true,
  isShared: false,
  isReadable: true,
  isFallback: false,
  isImmediate: false,
  needsRedis: false,
  check: ({ dataDirectory }) => findDataDirectoryMistakes(dataDirectory),
  loadUpkeep: async () => (await import('./sqlite-upkeep.ts')).SQLITE_UPKEEP,
  open: async (
    { dataDirectory, retentionMs, labelledKeptMs, bytesMax },
    { isStrict, removesOld, clock, logger },
  ) => {
    // Loaded where it is used, as much code as the service has for the rest of the log.
    const { openSqliteLog } = await import('./sqlite-log.ts');
    const log = await openSqliteLog({
      history: {
        directory: toHistoryDirectory(dataDirectory),
        isSynced: isStrict,
        retentionMs,
        labelledKeptMs,
        bytesMax,
        keepsAll: !removesOld,
      },
      clock,
      onEvent: (event) => report(event, logger),
    });
    return { sink: log, reader: log, policies: log.policies, health: () => null, close: () => log.close() };
  },
});

function report({ kind, ...fields }: SqliteLogEvent, logger: Logger): void {
  const line = { event: `decision_log.sqlite_${kind}`, ...fields };
  if (kind === 'failed') logger.error(line, 'the history cannot be written');
  else if (kind === 'kept') logger.warn(line, 'a day cannot be thinned to its labelled decisions');
  else logger.info(line);
}
