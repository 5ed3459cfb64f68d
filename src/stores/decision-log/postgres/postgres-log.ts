import type { Client } from 'pg';
import type { Clock } from '../../../application/clock.ts';
import type { DecisionLogReader, DecisionSink } from '../../../application/decision-log/decision-log.ts';
import type { PolicyTexts } from '../../../application/decision-log/policy-texts.ts';
import { ChangeListener } from './change-listener.ts';
import { Connector, limit, type ServerTarget } from './connect.ts';
import { createHistoryReader } from './history-reader.ts';
import { HistoryWriter } from './history-writer.ts';
import { Link } from './link.ts';
import { migrate } from './migrate.ts';
import { createPolicyTexts } from './policy-texts.ts';
import { ReadPool } from './read-pool.ts';
import { readShapeSecret, ShapeIds } from './shape-ids.ts';
import { tidy } from './tidy.ts';

interface PostgresLogOptions {
  readonly target: ServerTarget;
  readonly clock: Clock;
  /** Names this process: no other writer may ever have the same. */
  readonly writer: string;
  /** Whether a batch counts as kept only when the server has it on its disk. */
  readonly isSynced: boolean;
  /** How long an append may take. */
  readonly appendMs: number;
  /** Whole days are removed once they are older. */
  readonly retentionMs: number;
  /** The same for labelled decisions. */
  readonly labelledKeptMs: number;
  /** Bytes of all partitions together; beyond them the oldest are removed. */
  readonly bytesMax: number;
  /** How long hours are counted at least. */
  readonly countsKeptMs: number;
  /** Whether this process removes what is too old or too much. */
  readonly removesOld: boolean;
  readonly onEvent: (event: PostgresLogEvent) => void;
}

/** What an operator wants to read of it in a log. Codes are those of PostgreSQL or of the system. */
export type PostgresLogEvent =
  | { readonly kind: 'up' }
  | { readonly kind: 'down'; readonly code: string }
  | { readonly kind: 'tidied'; readonly removed_partitions: number };

/** A history on a server that all replicas share. */
interface PostgresLog {
  readonly sink: DecisionSink;
  readonly reader: DecisionLogReader;
  readonly policies: PolicyTexts;
  /** Closes after the append under way. Never rejects. */
  close(): Promise<void>;
}

/** A partition holds at most about this share of all bytes, so that removing the oldest one is a small step. */
const SPAN_SHARE = 1 / 8;
/** How often is looked whether something is too old or too much. */
const TIDY_MS = 60_000;

/** Opens the history, and connects in the background. */
export function openPostgresLog(options: PostgresLogOptions): PostgresLog {
  const { target, clock, writer, isSynced, appendMs, bytesMax, onEvent } = options;
  const connector = new Connector(target);
  const changes = new ChangeListener(connector);
  const shapes = new WeakMap<Client, ShapeIds>();
  const link = new Link({
    connect: () => connector.connect('write'),
    prepare: async (client) => {
      await migrate(client);
      await client.query({ text: `SET statement_timeout = ${appendMs}`, ...limit(appendMs) });
      shapes.set(client, new ShapeIds(await readShapeSecret(client)));
    },
    onStateChange: (code) => onEvent(code === null ? { kind: 'up' } : { kind: 'down', code }),
  });
  const pool = new ReadPool(connector, link.opened);
  const spanBytesMax = Math.floor(bytesMax * SPAN_SHARE);
  const history = new HistoryWriter({ link, shapes, clock, writer, isSynced, appendMs, spanBytesMax });
  const timer = options.removesOld ? setInterval(() => void tidyNow(), TIDY_MS).unref() : undefined;
  const tidyNow = async () => {
    try {
      const removed = await tidy({
        ...options,
        labelledKeptMs: Math.max(options.labelledKeptMs, options.retentionMs),
        connector,
        spanBytesMax,
      });
      if (removed > 0) onEvent({ kind: 'tidied', removed_partitions: removed });
    } catch {
      // The next append meets the same server, and says so.
    }
  };
  let underWay: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  return {
    sink: {
      id: 'postgres',
      isDurable: true,
      isShared: true,
      append: (batch) => {
        if (isClosed) return false;
        const appended = history.append(batch);
        underWay = appended;
        return appended.then((code) => code === null);
      },
      close: async () => {
        await underWay;
      },
    },
    reader: createHistoryReader({ pool, changes, isSynced }),
    policies: createPolicyTexts(pool),
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await underWay;
      link.close();
      changes.close();
      pool.close();
    },
  };
}
