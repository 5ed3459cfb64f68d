import { signal } from '@preact/signals';
import { rows } from '../live-feed.ts';

/** Finds the decision after (1) or before (-1) the one with an id; null at the end. */
type Walk = (id: string, step: 1 | -1) => Promise<string | null>;

/** The way through the decisions that the view shows. */
export const walk = signal<Walk>(throughRows);

/** Who else reviews the decision that is open; null for nobody that is known of. */
export const heldBy = signal<string | null>(null);

/** The way through the rows of the table. */
export async function throughRows(id: string, step: 1 | -1): Promise<string | null> {
  for (let place = 0; place < rows.length; place += 1)
    if (rows.at(place)?.decision_id === id) return rows.at(place + step)?.decision_id ?? null;
  return null;
}
