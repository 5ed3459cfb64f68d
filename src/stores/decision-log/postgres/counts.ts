import {
  type CountsOfPeriod,
  type CountsOptions,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import { type Label, OUTCOME_LABELS } from '../../../domain/decision-log/outcome-label.ts';
import { countLabel, countName } from '../../../domain/decision-log/record-counts.ts';
import { countFacts } from '../../../domain/decision-log/record-facts.ts';
import type { SearchedStore } from './search.ts';
import type { ShapeId } from './shape-ids.ts';

interface ShapeCount extends Record<string, unknown> {
  readonly start: number;
  readonly shape: ShapeId;
  readonly count: number;
}

interface LatencyCount extends Record<string, unknown> {
  readonly start: number;
  readonly series: string;
  readonly bucket: number;
  readonly count: number;
}

interface LabelCount extends ShapeCount {
  readonly label: Label;
}

/** The counts of periods. Rejects with `store_unavailable`. */
export async function readCounts(
  { pool, shapes }: SearchedStore,
  { sinceMs, untilMs, period, stepMs }: CountsOptions,
): Promise<readonly CountsOfPeriod[]> {
  const ms = PERIOD_MS[period];
  // A period counts by its beginning: what is in it may be before `sinceMs` or after `untilMs`.
  const span = [sinceMs, untilMs].map((timeMs) => Math.ceil(timeMs / ms) * ms);
  const stepOf = (time: string) => `${time} - (${time} - $1::int8) % ${stepMs ?? ms} AS start`;
  const within = 'WHERE start >= $1::int8 AND start < $2::int8';
  const both = (table: string) =>
    period === 'hour'
      ? `(TABLE riskgate.minute_${table} UNION ALL TABLE riskgate.hour_${table})`
      : `riskgate.minute_${table}`;
  const counts = await pool.rows<ShapeCount>(
    `SELECT ${stepOf('start')}, shape, sum(count) AS count FROM ${both('counts')} AS counted ${within} GROUP BY 1, 2`,
    span,
  );
  const latencies = await pool.rows<LatencyCount>(
    `SELECT ${stepOf('start')}, series, bucket, sum(count) AS count
      FROM ${both('latencies')} AS counted ${within} GROUP BY 1, 2, 3`,
    span,
  );
  const labels = await pool.rows<LabelCount>(
    `SELECT ${stepOf('at')}, shape, label, count(*) AS count FROM riskgate.labels
      WHERE at >= $1 AND at < $2 GROUP BY 1, 2, 3`,
    span,
  );
  const facts = await shapes.all();
  const sums = new Sums();
  for (const { start, shape, count } of counts) {
    const known = facts.get(shape);
    if (known !== undefined) sums.addAll(start, countFacts(known), count);
  }
  for (const { start, series, bucket, count } of latencies)
    sums.add(start, countName('latency', `${series}/${bucket}`), count);
  for (const { start, shape, label, count } of labels) {
    const known = facts.get(shape);
    if (known !== undefined && OUTCOME_LABELS.includes(label))
      sums.addAll(start, countLabel(known, null, label), count);
  }
  return sums.read();
}

/** See DecisionLogReader. Rejects with `store_unavailable`. */
export async function readCountVersions(
  { pool }: Pick<SearchedStore, 'pool'>,
  { sinceMs, untilMs }: Pick<CountsOptions, 'sinceMs' | 'untilMs'>,
): Promise<readonly string[]> {
  const firstMs = sinceMs - (sinceMs % PERIOD_MS.hour);
  const rows = await pool.rows<{ hour: number; change: number }>(
    'SELECT hour, change FROM riskgate.changes WHERE hour >= $1 AND hour < $2',
    [firstMs, untilMs],
  );
  const changes = new Map(rows.map(({ hour, change }) => [hour, change]));
  const hours = Math.ceil((untilMs - firstMs) / PERIOD_MS.hour);
  return Array.from({ length: hours }, (_, place) =>
    String(changes.get(firstMs + place * PERIOD_MS.hour) ?? ''),
  );
}

class Sums {
  readonly #periods = new Map<number, Map<string, number>>();

  add(startMs: number, name: string, count: number): void {
    let counts = this.#periods.get(startMs);
    if (counts === undefined) {
      counts = new Map();
      this.#periods.set(startMs, counts);
    }
    counts.set(name, (counts.get(name) ?? 0) + count);
  }

  addAll(startMs: number, counts: ReadonlyMap<string, number>, times: number): void {
    for (const [name, count] of counts) this.add(startMs, name, count * times);
  }

  /** Oldest first. */
  read(): CountsOfPeriod[] {
    return [...this.#periods]
      .map(([startMs, counts]) => ({ startMs, counts }))
      .sort((left, right) => left.startMs - right.startMs);
  }
}
