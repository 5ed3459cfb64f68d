import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** The variants, in the order of the table. All are compared with `fastify`, which therefore always runs. */
export const VARIANT_IDS = [
  'http',
  'fastify',
  'unlogged',
  'unlogged-redis',
  'warm',
  'one',
  'many',
  'explain',
  'rules-100',
  'rules-500',
  'lists',
  'candidate',
  'candidates-3',
  'no-activity',
  'no-contradictions',
  'activity',
  'gateway',
  'grpc',
  'limited',
  'log-stdout',
  'log-file',
  'log-redis',
  'log-sqlite',
  'log-postgres',
  'log-kafka',
  'log-strict',
  'redis',
  'redis-many',
  'redis-no-activity',
  'redis-activity',
  'replica',
  'cold',
  'cerbos',
] as const;
/** Measured only when asked for: they are installed for the purpose. */
const ON_REQUEST: readonly string[] = ['cerbos', 'log-kafka'];

export type VariantId = (typeof VARIANT_IDS)[number];

export interface BenchOptions {
  readonly rounds: number;
  /** Length of one measurement; a tenth of it, and no less than 200 ms, runs uncounted before. */
  readonly seconds: number;
  /**
   * Connections of the load generator, each with one request at a time. Over gRPC this is the number of
   * concurrent calls, four on each connection.
   */
  readonly connections: number;
  readonly only: ReadonlySet<VariantId>;
  /** Distinct subjects of `many` and `redis-many`. */
  readonly subjects: number;
  /** The root of another checkout whose service is measured in the same rounds, or null. */
  readonly against: string | null;
  /** Records of a history that is filled and asked instead of all the rest, or null. */
  readonly history: number | null;
  /** Where that history is kept: it is filled where nothing is there yet. Null: it goes with the benchmark. */
  readonly historyDirectory: string | null;
  /** Where to write every figure, or null. */
  readonly json: string | null;
}

const FLAGS = {
  rounds: { type: 'string', default: '6' },
  seconds: { type: 'string', default: '2' },
  connections: { type: 'string', default: '16' },
  only: { type: 'string', default: VARIANT_IDS.filter((id) => !ON_REQUEST.includes(id)).join(',') },
  json: { type: 'string' },
  subjects: { type: 'string', default: '50000' },
  against: { type: 'string' },
  history: { type: 'string' },
  'history-directory': { type: 'string' },
  peers: { type: 'boolean', default: false },
} as const;

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({ args: [...args], options: FLAGS });
  const only = values.only.split(',').map((name) => {
    const id = VARIANT_IDS.find((known) => known === name);
    if (id === undefined) throw new Error(`--only takes some of ${VARIANT_IDS.join(',')}, not ${name}`);
    return id;
  });
  return {
    rounds: readNumber('rounds', values.rounds, 1, 1000),
    seconds: readNumber('seconds', values.seconds, 0.1, 60),
    connections: readNumber('connections', values.connections, 1, 256),
    only: new Set<VariantId>([...only, 'fastify', ...(values.peers ? (['cerbos'] as const) : [])]),
    json: values.json ?? null,
    history: values.history === undefined ? null : readNumber('history', values.history, 1_000, 100_000_000),
    historyDirectory: values['history-directory'] === undefined ? null : resolve(values['history-directory']),
    subjects: readNumber('subjects', values.subjects, 600, 1_000_000),
    against: values.against === undefined ? null : resolve(values.against),
  };
}

function readNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (value >= min && value <= max) return value;
  throw new Error(`--${flag} is a number from ${min} to ${max}, not ${text}`);
}
