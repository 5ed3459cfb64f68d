import { integer, type Settings } from '../../platform/setting.ts';

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;

/** How much is kept, for each sink that keeps a history that lasts. */
export const HISTORY_SETTINGS = {
  retentionMs: {
    env: 'HISTORY_RETENTION_DAYS',
    schema: integer(1, 3_660).transform((days) => days * DAY_MS),
    default: '90',
    description:
      'Days that the sinks `sqlite` and `postgres` keep; older files and partitions are removed, but for labelled decisions.',
  },
  labelledKeptMs: {
    env: 'HISTORY_LABELLED_RETENTION_DAYS',
    schema: integer(1, 3_660).transform((days) => days * DAY_MS),
    default: '365',
    description:
      'Days that the sinks `sqlite` and `postgres` keep labelled decisions, where that is longer than `HISTORY_RETENTION_DAYS`.',
  },
  bytesMax: {
    env: 'HISTORY_BYTES_MAX',
    schema: integer(64 * MIB, Number.MAX_SAFE_INTEGER),
    default: '10737418240',
    description:
      'Bytes of the files of the sink `sqlite` together, or of the partitions of `postgres`; beyond them the oldest are removed, so that `sqlite` may have an eighth more for a moment. A million decisions take 0.4 to 1 GB in `sqlite`, and 6 GB in `postgres`.',
  },
} as const satisfies Settings;
