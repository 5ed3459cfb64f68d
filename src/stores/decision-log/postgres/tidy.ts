import type { Client } from 'pg';
import { MINUTES_KEPT_MS, PERIOD_MS } from '../../../application/decision-log/decision-log.ts';
import { type Connector, codeOf, disconnect, limit } from './connect.ts';
import type { Span } from './spans.ts';

/** How much is kept. */
interface TidyOptions {
  readonly connector: Connector;
  /** Whole partitions, but for labelled decisions, are removed once they are older. */
  readonly retentionMs: number;
  /** The same for labelled decisions; at least as long. */
  readonly labelledKeptMs: number;
  /** Bytes of all partitions together; beyond them the oldest are removed. */
  readonly bytesMax: number;
  /** A partition that would grow larger covers less time. */
  readonly spanBytesMax: number;
  /** How long hours are counted at least. */
  readonly countsKeptMs: number;
}

interface SizedSpan extends Span, Record<string, unknown> {
  readonly bytes: number;
}

/** The server's time alone says what is old: that of a replica can be wrong. */
const NOW = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8 AS now_ms';
/** One replica tidies at a time. The keys are 'risk', and that of tidying. */
const TRY_LOCK = 'SELECT pg_try_advisory_lock(1919513451, 3) AS is_ours';
const UNLOCK = 'SELECT pg_advisory_unlock(1919513451, 3)';
const SPANS = `SELECT begins, ends, is_thinned, pg_total_relation_size(format('riskgate.%I', name)::regclass) AS bytes
  FROM riskgate.spans ORDER BY begins`;
/** A step of tidying takes seconds at most, but where it has not been done for days. */
const STEP_MS = 60_000;
/** Writers wait for a partition to be thinned as long as this at most. */
const THIN_MS = 5_000;
/** Others use what is to be removed, or that took too long: it is tried again the next time. */
const PUT_OFF = ['55P03', '57014'];

/**
 * Makes partitions ahead, removes those that are too old, and the oldest ones while all are too large, and
 * adds up what was counted by the minute. Resolves with how many partitions were removed. Rejects with the
 * error of the server.
 */
export async function tidy(options: TidyOptions): Promise<number> {
  const client = await options.connector.connect('write');
  try {
    await run(client, `SET statement_timeout = ${STEP_MS}`);
    await run(client, `SELECT riskgate.keep_ahead(${options.spanBytesMax})`);
    const [lock] = await run<{ is_ours: boolean }>(client, TRY_LOCK);
    if (lock?.is_ours !== true) return 0;
    const [time] = await run<{ now_ms: number }>(client, NOW);
    const nowMs = time?.now_ms ?? 0;
    const removed = await removeSpans(client, options, nowMs);
    const keptMs = Math.max(options.retentionMs, options.countsKeptMs);
    await run(client, `SELECT riskgate.fold_minutes(${hourBefore(nowMs - MINUTES_KEPT_MS)})`);
    await run(client, `SELECT riskgate.forget_old(${hourBefore(nowMs - keptMs)})`);
    // The server frees it with the connection too, but some time after this has resolved.
    await run(client, UNLOCK);
    return removed;
  } finally {
    // Where a step failed, the lock ends with the connection.
    disconnect(client);
  }
}

async function removeSpans(
  client: Client,
  { retentionMs, labelledKeptMs, bytesMax }: TidyOptions,
  nowMs: number,
): Promise<number> {
  const spans = await run<SizedSpan>(client, SPANS);
  let total = spans.reduce((sum, { bytes }) => sum + bytes, 0);
  let removed = 0;
  for (const span of spans) {
    const ageMs = nowMs - span.ends / 1000;
    // The present partition and those ahead of it stay.
    if (ageMs < 0) break;
    const isTooMuch = total > bytesMax;
    const isOver = ageMs >= (span.is_thinned ? labelledKeptMs : retentionMs);
    if (!isOver && !isTooMuch) continue;
    if (!(await removeSpan(client, span))) break;
    total -= span.bytes;
    removed += 1;
  }
  return removed;
}

/** Removes all of a partition but labelled decisions, and those of a thinned one. False where it is in use. */
async function removeSpan(client: Client, { begins, ends, is_thinned: isThinned }: Span): Promise<boolean> {
  const labelled = `SELECT FROM riskgate.labels WHERE pos >= ${begins} AND pos < ${ends} LIMIT 1`;
  try {
    if (isThinned || (await run(client, labelled)).length === 0) {
      await run(client, `SELECT riskgate.drop_span(${begins})`);
    } else {
      await run(client, `SELECT riskgate.copy_labelled(${begins})`);
      await runBriefly(client, `SELECT riskgate.thin_span(${begins})`);
    }
    return true;
  } catch (error) {
    if (PUT_OFF.includes(codeOf(error))) return false;
    throw error;
  }
}

async function run<Row extends Record<string, unknown>>(client: Client, text: string): Promise<Row[]> {
  return (await client.query<Row>({ text, ...limit(STEP_MS + 1000) })).rows;
}

/** Gives up sooner: others wait for it. */
async function runBriefly(client: Client, text: string): Promise<void> {
  await run(client, `SET statement_timeout = ${THIN_MS}`);
  try {
    await run(client, text);
  } finally {
    await run(client, `SET statement_timeout = ${STEP_MS}`);
  }
}

/** The beginning of the hour before that of a time. */
function hourBefore(timeMs: number): number {
  return timeMs - (timeMs % PERIOD_MS.hour) - PERIOD_MS.hour;
}
