import { z } from 'zod';
import { integer, type Setting, type Settings } from '../platform/setting.ts';
import { toOptional, withoutAbsent } from './provider-settings.ts';
import { type ConfigValues, isComplete, readSettings } from './read-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const OFF = 'off';

/** The part of a sink's definition that configuration depends on. */
export interface SinkDeclaration {
  readonly id: string;
  readonly variables: Settings;
  /** Records survive the process: only such a sink can be waited for. */
  readonly isDurable: boolean;
  /** All replicas write to one place. */
  readonly isShared: boolean;
  readonly isReadable: boolean;
  /** Read where `DECISION_LOG` names nothing that can be read; needs no settings. */
  readonly isFallback: boolean;
  readonly needsRedis: boolean;
}

/** What the environment says of one sink. */
export interface SinkConfig {
  readonly id: string;
  /** Whether `DECISION_LOG` names it. */
  readonly isNamed: boolean;
  /** Parsed by their own declarations; one that is not set is absent. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What the environment says of the decision log, and of each of its sinks. */
export interface DecisionLogConfig
  extends Omit<ConfigValues<ReturnType<typeof decisionLogSettings>>, 'sinkIds'> {
  readonly sinks: readonly SinkConfig[];
}

/** The variables of the decision log that belong to no single sink. */
function decisionLogSettings(sinks: readonly SinkDeclaration[], env: Environment) {
  const ids = sinks.map(({ id }) => id);
  const durable = sinks.filter(isDurable);
  const read = sinks.filter(({ isReadable, isFallback }) => isReadable && !isFallback);
  const fallback = sinks.filter(({ isFallback }) => isFallback);
  return {
    sinkIds: {
      env: 'DECISION_LOG',
      schema: z
        .string()
        .transform((text) => (text === OFF ? [] : text.split(',').map((name) => name.trim())))
        .pipe(
          z
            .array(z.enum(ids, `must be ${OFF}, or a list of ${ids.join(', ')} with commas between`))
            .refine((named) => new Set(named).size === named.length, 'names a sink twice'),
        ),
      default: defaultSink(sinks, env),
      description: `Where decisions are recorded: \`off\`, or a list of ${inCode(sinks, ', ')} with commas between. It is read from ${inCode(read, ', else from ')} where that is named, and from ${inCode(fallback, '')} otherwise.`,
    },
    delivery: {
      env: 'DECISION_LOG_DELIVERY',
      schema: z.enum(['lossy', 'strict'], 'must be lossy or strict'),
      default: 'lossy',
      description: `\`lossy\` keeps no answer waiting, and records what it had to drop as a gap. \`strict\` answers when the record is durable in ${inCode(durable, ' and ')}, whichever are named, and with 503 when it cannot be.`,
    },
    timeoutMs: {
      env: 'DECISION_LOG_TIMEOUT_MS',
      schema: integer(10, 10_000),
      default: '1000',
      description: 'With `strict`: the longest an answer waits for its record, beside the deadline.',
    },
    bufferMax: {
      env: 'DECISION_LOG_BUFFER_MAX',
      schema: integer(1, 1_000_000),
      default: '10000',
      description:
        'The most records that wait for a sink. With `lossy` more are dropped, with `strict` more are refused with 503.',
    },
    countsKeptMs: {
      env: 'DECISION_LOG_COUNTS_RETENTION_DAYS',
      schema: integer(1, 366).transform((days) => days * 86_400_000),
      default: '30',
      description: 'How long the counts of each hour are kept; those of each minute are kept for a day.',
    },
  } as const satisfies Settings;
}

/** Every variable of the decision log, those of all sinks included. */
export function allDecisionLogSettings(sinks: readonly SinkDeclaration[]): readonly Setting[] {
  const ofSinks = sinks.flatMap(({ variables }) => Object.values(variables));
  // Sinks may share a declaration.
  return [...Object.values(decisionLogSettings(sinks, {})), ...new Set(ofSinks)];
}

/** What was read of the decision log. */
interface ReadDecisionLog {
  /** Those sinks whose own variables have no mistakes. */
  readonly sinks: readonly SinkConfig[];
  /** Null where any variable has a mistake. */
  readonly config: DecisionLogConfig | null;
}

/** Reads the variables of the decision log and of all its sinks. */
export function readDecisionLog(
  env: Environment,
  declared: readonly SinkDeclaration[],
  hasRedis: boolean,
  mistakes: string[],
): ReadDecisionLog {
  const before = mistakes.length;
  const { sinkIds, ...common } = readSettings(env, decisionLogSettings(declared, env), mistakes);
  const named = declared.filter(({ id }) => sinkIds?.includes(id));
  const read = declared.map((sink) =>
    readSink(env, sink, { isNamed: named.includes(sink), hasRedis }, mistakes),
  );
  if (common.delivery === 'strict' && !named.some(isDurable)) {
    const durable = declared.filter(isDurable).map(({ id }) => id);
    mistakes.push(`DECISION_LOG_DELIVERY strict needs ${durable.join(' or ')} in DECISION_LOG`);
  }
  const sinks = read.filter((sink) => sink !== null);
  const isWhole = mistakes.length === before && isComplete<CommonSettings>(common);
  return { sinks, config: isWhole ? { ...common, sinks } : null };
}

type CommonSettings = Omit<ReturnType<typeof decisionLogSettings>, 'sinkIds'>;

/** Null where a variable is wrong, or something is missing that a named sink needs. */
function readSink(
  env: Environment,
  { id, variables, needsRedis }: SinkDeclaration,
  { isNamed, hasRedis }: { readonly isNamed: boolean; readonly hasRedis: boolean },
  mistakes: string[],
): SinkConfig | null {
  // A sink that is not named needs nothing, but a wrong variable of it is found before it is needed.
  const values = readSettings(env, toOptional(variables), mistakes);
  const missing = Object.values(variables).filter((one) => isNamed && isRequired(one) && !env[one.env]);
  const needed = missing.map((one) => one.env);
  if (isNamed && needsRedis && !hasRedis) needed.push('REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER');
  mistakes.push(...needed.map((what) => `DECISION_LOG names ${id}, so ${what} is needed`));
  return isComplete(values) && needed.length === 0 ? { id, isNamed, settings: withoutAbsent(values) } : null;
}

function isRequired({ default: byDefault, isOptional }: Setting): boolean {
  return byDefault === undefined && !isOptional;
}

function isDurable(sink: SinkDeclaration): boolean {
  return sink.isDurable;
}

/**
 * What `DECISION_LOG` names unless it is set: a durable sink that can be read and has all that it needs, one
 * that all replicas share before one of this process, or the one that needs nothing.
 */
function defaultSink(sinks: readonly SinkDeclaration[], env: Environment): string {
  const lasting = sinks.filter(
    ({ isReadable, isFallback, needsRedis, variables }) =>
      isReadable &&
      !isFallback &&
      !needsRedis &&
      Object.values(variables).every((one) => !isRequired(one) || env[one.env]),
  );
  const shared = lasting.find(({ isShared }) => isShared);
  return (shared ?? lasting[0] ?? sinks.find(({ isFallback }) => isFallback))?.id ?? OFF;
}

function inCode(sinks: readonly SinkDeclaration[], separator: string): string {
  return sinks.map(({ id }) => `\`${id}\``).join(separator);
}
