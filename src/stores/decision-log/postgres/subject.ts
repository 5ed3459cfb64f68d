import type { DecisionLogReader } from '../../../application/decision-log/decision-log.ts';
import type { Label } from '../../../domain/decision-log/outcome-label.ts';
import type { SubjectHistory } from '../../../domain/decision-log/subject-history.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import type { Verdict } from '../../../domain/verdict.ts';
import { cover } from './coverage.ts';
import { toUuid } from './entry-rows.ts';
import { hashesOf } from './group.ts';
import type { SearchedStore } from './search.ts';
import { LABELLED } from './search-sources.ts';
import type { ShapeId } from './shape-ids.ts';

/** Decisions about a subject that one question looks at. */
const DECISIONS_MAX = 50_000;
/** The most subjects of one part that are named. */
const SEEN_MAX = 20;
const DAY_MS = 86_400_000;

interface DayRow extends Record<string, unknown> {
  readonly day: number;
  readonly shape: ShapeId;
  readonly label: Label | null;
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

interface SeenRow extends Record<string, unknown> {
  readonly part: SubjectPartName;
  readonly hash: string;
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly others: number;
}

/** See DecisionLogReader. Rejects with `store_unavailable`. */
export async function readSubject(
  store: SearchedStore,
  part: SubjectPartName,
  hash: string,
): ReturnType<DecisionLogReader['subject']> {
  const { plan, range, fromMs } = await cover(store, { [part]: [hash] }, DECISIONS_MAX);
  const days = await store.pool.rows<DayRow>(
    `SELECT at - at % ${DAY_MS} AS day, shape, label, count(*) AS count, min(at) AS first, max(at) AS last
      FROM (${plan.all(range, 'pos, at, shape')}) AS matched
      LEFT JOIN ${LABELLED} AS said USING (pos) GROUP BY 1, 2, 3`,
    plan.allValues,
  );
  if (days.length === 0) return null;
  const values = [...plan.allValues, toUuid(hash)];
  const parts = SUBJECT_PARTS.map(
    (name) => `SELECT '${name}' AS part, hash, at FROM (${hashesOf(name)}) AS hashes`,
  );
  const seen = await store.pool.rows<SeenRow>(
    `WITH matched AS MATERIALIZED (${plan.all(range, 'at, telemetry, device, devices, account, ip, visitor')}),
      seen AS (
        SELECT part, hash, count(*) AS count, min(at) AS first, max(at) AS last,
          count(*) OVER (PARTITION BY part) AS others,
          row_number() OVER (PARTITION BY part ORDER BY count(*) DESC, max(at) DESC, hash) AS place
        FROM (${parts.join(' UNION ALL ')}) AS named WHERE hash <> $${values.length}::uuid GROUP BY part, hash)
      SELECT part, replace(hash::text, '-', '') AS hash, count, first, last, others
      FROM seen WHERE place <= ${SEEN_MAX} ORDER BY part, place`,
    values,
  );
  return { ...(await addUp(store, days)), seenWith: toSeen(seen), isWhole: fromMs === null };
}

async function addUp(
  { shapes }: SearchedStore,
  rows: readonly DayRow[],
): Promise<Omit<SubjectHistory, 'seenWith' | 'isWhole'>> {
  const facts = await shapes.all();
  const verdicts: Partial<Record<Verdict, number>> = {};
  const labels: Partial<Record<Label, number>> = {};
  const days = new Map<number, Partial<Record<Verdict, number>>>();
  let total = 0;
  for (const { day, shape, label, count } of rows) {
    const verdict = facts.get(shape)?.decision;
    if (verdict === undefined) continue;
    const ofDay = days.get(day) ?? {};
    days.set(day, ofDay);
    raise(ofDay, verdict, count);
    raise(verdicts, verdict, count);
    if (label !== null) raise(labels, label, count);
    total += count;
  }
  return {
    firstSeenMs: Math.min(...rows.map(({ first }) => first)),
    lastSeenMs: Math.max(...rows.map(({ last }) => last)),
    total,
    verdicts,
    days: [...days]
      .map(([startMs, ofDay]) => ({ startMs, verdicts: ofDay }))
      .sort((left, right) => left.startMs - right.startMs),
    labels,
  };
}

function toSeen(rows: readonly SeenRow[]): SubjectHistory['seenWith'] {
  const seenOf = (part: SubjectPartName) => {
    const ofPart = rows.filter((row) => row.part === part);
    return {
      distinct: ofPart[0]?.others ?? 0,
      subjects: ofPart.map(({ hash, count, first, last }) => ({
        hash,
        count,
        firstSeenMs: first,
        lastSeenMs: last,
      })),
    };
  };
  return {
    telemetry: seenOf('telemetry'),
    device: seenOf('device'),
    account: seenOf('account'),
    ip: seenOf('ip'),
    visitor: seenOf('visitor'),
  };
}

function raise<Name extends string>(counts: Partial<Record<Name, number>>, name: Name, count: number): void {
  counts[name] = (counts[name] ?? 0) + count;
}
