import type { DecisionLogReader } from '../../../application/decision-log/decision-log.ts';
import { DecisionGroups, type GroupedDecisions } from '../../../domain/decision-log/decision-groups.ts';
import { type GroupKey, valuesOf } from '../../../domain/decision-log/group-keys.ts';
import { DELAY_UNIT_MS } from '../../../domain/decision-log/label-delay.ts';
import type { Label } from '../../../domain/decision-log/outcome-label.ts';
import { BUCKET_GROWTH, BUCKETS, FIRST_BUCKET_MS } from '../../../domain/decision-log/record-counts.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { cover } from './coverage.ts';
import type { SearchedStore } from './search.ts';
import { LABELLED } from './search-sources.ts';
import type { ShapeId } from './shape-ids.ts';

/** Entries that one question looks at: their facts are read from an index alone. */
const GROUP_MAX = 1_000_000;
/** Their hashes, and the names of autonomous systems, are not. */
const UNINDEXED_MAX = 100_000;
/** Rows that are added up in one turn of the event loop. */
const TOGETHER = 5_000;

/** The columns of each key that no shape says. */
const LATE_COLUMNS: Readonly<Partial<Record<GroupKey, readonly LateColumn[]>>> = {
  action: ['action'],
  country: ['country'],
  asn: ['asn'],
  asn_name: ['asn_name'],
  label: ['label'],
  labelled: ['label', 'delay'],
};
type LateColumn = 'action' | 'country' | 'asn' | 'asn_name' | 'label' | 'delay';

/** The milliseconds that the label in force took. */
const DELAY_MS = `(extract(epoch FROM (said.history::json -> -1 ->> 'at')::timestamptz) * 1000)::int8 - matched.at`;
/** Their bucket, as delayBucketOf has it. */
const DELAY = `least(${BUCKETS - 1}, ceil(ln(greatest((${DELAY_MS}) / ${DELAY_UNIT_MS}::float8, ${FIRST_BUCKET_MS})
  / ${FIRST_BUCKET_MS}) / ln(${BUCKET_GROWTH}::float8)))::int4`;

interface GroupRow extends Record<string, unknown> {
  /** 1 where the row is not of one step, or not of one bucket. */
  readonly of_all: number;
  readonly of_shapes: number;
  readonly step: number;
  readonly bucket: number;
  readonly shape: ShapeId;
  readonly action?: string | null;
  readonly country?: string | null;
  readonly asn?: number | null;
  readonly asn_name?: string | null;
  readonly label?: Label | null;
  readonly delay?: number | null;
  readonly count: number;
}

/** See DecisionLogReader. Rejects with `store_unavailable`. */
export async function group(
  store: SearchedStore,
  { filter, ...grouping }: Parameters<DecisionLogReader['group']>[0],
): Promise<GroupedDecisions> {
  const { sinceMs, stepMs, by } = grouping;
  const isIndexed = !by.includes('asn_name');
  const { plan, range, fromMs } = await cover(store, filter, isIndexed ? GROUP_MAX : UNINDEXED_MAX);
  const columnsOf = (keys: readonly GroupKey[]) => [
    ...new Set(keys.flatMap((key) => LATE_COLUMNS[key] ?? [])),
  ];
  const keys = columnsOf(by);
  const ofStep = ['step', 'shape', ...columnsOf(by.slice(0, 1))];
  const sets = [ofStep, ['step', 'bucket'], ...(by.length > 1 ? [['shape', ...keys]] : [])];
  const labels = keys.includes('label') ? `LEFT JOIN ${LABELLED} AS said USING (pos)` : '';
  const named = isIndexed ? '' : ', asn_name';
  const matched = plan.all(range, `pos, at, shape, bucket, action, country, asn${named}`);
  const rows = await store.pool.rows<GroupRow>(
    `SELECT GROUPING(step) AS of_all, GROUPING(bucket) AS of_shapes, step, bucket, shape,
        ${[...keys, 'count(*) AS count'].join(', ')}
      FROM (
        SELECT ${sinceMs} + floor((matched.at - ${sinceMs}) / ${stepMs}::float8)::int8 * ${stepMs} AS step,
          bucket, matched.shape ${keys.map((key) => (key === 'delay' ? `, ${DELAY} AS delay` : `, ${key}`)).join('')}
        FROM (${matched}) AS matched ${labels}
      ) AS decisions
      GROUP BY GROUPING SETS (${sets.map((columns) => `(${columns.join(', ')})`).join(', ')})`,
    plan.allValues,
  );
  const facts = await store.shapes.all();
  const groups = new DecisionGroups(grouping);
  for (let from = 0; from < rows.length; from += TOGETHER) {
    for (const row of rows.slice(from, from + TOGETHER)) add(groups, by, row, facts.get(row.shape));
    await new Promise(setImmediate);
  }
  return groups.read(fromMs);
}

function add(
  groups: DecisionGroups,
  [first, second]: readonly GroupKey[],
  row: GroupRow,
  facts: RecordFacts | undefined,
): void {
  const { step, count } = row;
  if (row.of_shapes === 0) {
    groups.addLatency(step, row.bucket, count);
    return;
  }
  // A shape that is not known is of a record that came after the shapes were read.
  if (facts === undefined) return;
  if (row.of_all === 0) groups.addStep(step, count, facts.degraded ? count : 0);
  if (first === undefined) return;
  const grouped = {
    facts,
    place: { country: row.country ?? null, asn: row.asn ?? null, asnName: row.asn_name ?? null },
    action: row.action ?? null,
    label: row.label == null ? null : { label: row.label, delay: row.delay ?? 0 },
  };
  for (const value of valuesOf(grouped, first)) {
    if (row.of_all === 0) groups.addValue(step, value, count);
    else if (second !== undefined)
      for (const other of valuesOf(grouped, second)) groups.addPair(value, other, count);
  }
}

/** See DecisionLogReader: counted exactly. Rejects with `store_unavailable`. */
export async function countDistinct(
  store: SearchedStore,
  filter: Parameters<DecisionLogReader['distinct']>[0],
): ReturnType<DecisionLogReader['distinct']> {
  const { plan, range, fromMs } = await cover(store, filter, UNINDEXED_MAX);
  const counts = SUBJECT_PARTS.map(
    (part) =>
      `(SELECT count(*) FROM (SELECT DISTINCT hash FROM (${hashesOf(part)}) AS hashes) AS each) AS ${part}`,
  );
  const [counted] = await store.pool.rows<Record<SubjectPartName, number>>(
    `WITH matched AS MATERIALIZED (${plan.all(range, 'at, telemetry, device, devices, account, ip, visitor')})
      SELECT ${counts.join(', ')}`,
    plan.allValues,
  );
  if (counted === undefined) throw new TypeError('a statement of counts gives one row');
  return { subjects: counted, coveredFromMs: fromMs };
}

/** The hashes of one part in `matched`, each with its time. */
export function hashesOf(part: SubjectPartName): string {
  const hashes = `SELECT ${part} AS hash, at FROM matched WHERE ${part} IS NOT NULL`;
  return part === 'device' ? `${hashes} UNION ALL SELECT unnest(devices), at FROM matched` : hashes;
}
