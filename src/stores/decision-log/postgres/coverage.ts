import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import type { SearchedStore } from './search.ts';
import { NEAR_MS, planSearch, type SearchPlan } from './search-plan.ts';
import type { PositionRange } from './search-sources.ts';
import { rangesBack, readSpans } from './spans.ts';

/** The newest entries that a question about all matches looks at. */
interface Coverage {
  readonly plan: SearchPlan;
  readonly range: PositionRange;
  /** Unix milliseconds: decisions of before were not looked at; null where all were. */
  readonly fromMs: number | null;
}

/** Finds how far back a question gets that looks at about so many entries. Rejects with `store_unavailable`. */
export async function cover(
  { pool, shapes }: SearchedStore,
  filter: RecordFilter,
  lookMax: number,
): Promise<Coverage> {
  const spans = await readSpans(pool);
  const plan = planSearch(filter, await shapes.matching(filter));
  const below = Number.MAX_SAFE_INTEGER;
  let left = lookMax;
  for (const { begins, ends } of rangesBack(spans)) {
    const [bounded] = await pool.rows<{ reached: number | null; looked: number }>(
      plan.bound({ from: begins, below: ends }, left),
      plan.boundValues,
    );
    const reached = bounded?.reached ?? null;
    left -= bounded?.looked ?? 0;
    if (reached !== null || left <= 0) {
      const from = reached ?? begins;
      return { plan, range: { from, below }, fromMs: Math.ceil(from / 1000) + NEAR_MS };
    }
  }
  return { plan, range: { from: 0, below }, fromMs: null };
}
