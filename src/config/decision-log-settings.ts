import { z } from 'zod';
import { integer, type SettingDeclaration } from './service-settings.ts';

/** Where records of decisions go. `memory` is the log of one process. */
const LOG_SINKS = ['memory', 'redis', 'file', 'stdout'] as const;
type LogSink = (typeof LOG_SINKS)[number];

/** Sinks whose records survive the process: the only ones that strict delivery can wait for. */
const DURABLE: readonly LogSink[] = ['redis', 'file'];
const OFF = 'off';

/** What the environment says of the decision log. */
export interface DecisionLogConfig {
  /** Empty keeps none. */
  readonly decisionLogSinks: readonly LogSink[];
  readonly decisionLogDelivery: 'lossy' | 'strict';
  /** Null without a file. */
  readonly decisionLogFile: string | null;
  readonly decisionLogTimeoutMs: number;
  readonly decisionLogBufferMax: number;
  readonly decisionLogMemoryRecords: number;
  readonly decisionLogHourRecords: number;
  readonly decisionLogKeptMs: number;
  readonly decisionLogCountsKeptMs: number;
}

/** The variables of the decision log, by the fields of DecisionLogConfig. */
export const DECISION_LOG_SETTINGS = {
  decisionLogSinks: {
    env: 'DECISION_LOG',
    schema: z
      .string()
      .transform((text) => (text === OFF ? [] : text.split(',').map((name) => name.trim())))
      .pipe(
        z
          .array(
            z.enum(LOG_SINKS, `must be ${OFF}, or a list of ${LOG_SINKS.join(', ')} with commas between`),
          )
          .refine((sinks) => new Set(sinks).size === sinks.length, 'names a sink twice'),
      ),
    default: 'memory',
    description:
      'Where decisions are recorded: `off`, or a list of `memory`, `redis`, `file`, `stdout` with commas between. It is read from Redis where that is named, and from the memory of the process otherwise.',
  },
  decisionLogDelivery: {
    env: 'DECISION_LOG_DELIVERY',
    schema: z.enum(['lossy', 'strict'], 'must be lossy or strict'),
    default: 'lossy',
    description:
      '`lossy` keeps no answer waiting, and records what it had to drop as a gap. `strict` answers when the record is durable in Redis and in the file, whichever are named, and with 503 when it cannot be.',
  },
  decisionLogFile: {
    env: 'DECISION_LOG_FILE',
    schema: z.string().min(1),
    isOptional: true,
    description:
      'The file of the sink `file`, one JSON record a line, for this process alone. Rotate it by renaming: within a second a new one is begun.',
  },
  decisionLogTimeoutMs: {
    env: 'DECISION_LOG_TIMEOUT_MS',
    schema: integer(10, 10_000),
    default: '1000',
    description: 'With `strict`: the longest an answer waits for its record, beside the deadline.',
  },
  decisionLogBufferMax: {
    env: 'DECISION_LOG_BUFFER_MAX',
    schema: integer(1, 1_000_000),
    default: '10000',
    description:
      'The most records that wait for a sink. With `lossy` more are dropped, with `strict` more are refused with 503.',
  },
  decisionLogMemoryRecords: {
    env: 'DECISION_LOG_MEMORY_RECORDS',
    schema: integer(1, 1_000_000),
    default: '10000',
    description: 'Without Redis: the latest records that can be read, about 3 KiB each.',
  },
  decisionLogHourRecords: {
    env: 'DECISION_LOG_REDIS_RECORDS_PER_HOUR',
    schema: integer(100, 100_000_000),
    default: '100000',
    description: 'With Redis: the latest records of every hour that are kept, about 3 KiB each.',
  },
  decisionLogKeptMs: {
    env: 'DECISION_LOG_RETENTION_HOURS',
    schema: integer(1, 8_760).transform((hours) => hours * 3_600_000),
    default: '24',
    description: 'With Redis: how long records are kept.',
  },
  decisionLogCountsKeptMs: {
    env: 'DECISION_LOG_COUNTS_RETENTION_DAYS',
    schema: integer(1, 366).transform((days) => days * 86_400_000),
    default: '30',
    description: 'How long the counts of each hour are kept; those of each minute are kept for a day.',
  },
} as const satisfies Record<keyof DecisionLogConfig, SettingDeclaration>;

/** Mistakes that no variable makes alone. Fields are undefined where their own variable is missing or wrong. */
export function findDecisionLogMistakes({
  decisionLogSinks: sinks = [],
  decisionLogDelivery: delivery,
  decisionLogFile: file,
  hasRedis,
}: Partial<DecisionLogConfig> & { readonly hasRedis: boolean }): readonly string[] {
  const mistakes: string[] = [];
  if (sinks.includes('file') && !file)
    mistakes.push('DECISION_LOG names file, so DECISION_LOG_FILE is needed');
  if (sinks.includes('redis') && !hasRedis)
    mistakes.push('DECISION_LOG names redis, so REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER is needed');
  if (delivery === 'strict' && !sinks.some((sink) => DURABLE.includes(sink)))
    mistakes.push('DECISION_LOG_DELIVERY strict needs redis or file in DECISION_LOG');
  return mistakes;
}
