import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { Clock } from '../clock.ts';
import type { DecisionLogReader, LogEntry, LogPage, LogPosition, QueryOptions } from './decision-log.ts';

/**
 * How long to search for one page before it is returned as it is. Otherwise a filter that matches little
 * would walk the whole log in one request.
 */
const LOOK_MS = 250;

/**
 * One page of the log, newest first. It can be shorter than requested, with a next page, where few records
 * match. Rejects with `store_unavailable`.
 */
export async function readPage(
  reader: Pick<DecisionLogReader, 'query'>,
  filter: RecordFilter,
  { before, limit }: QueryOptions,
  clock: Clock,
): Promise<LogPage> {
  const untilMs = clock.monotonicMs() + LOOK_MS;
  const entries: LogEntry[] = [];
  let next: LogPosition | null = before;
  do {
    const page: LogPage = await reader.query(filter, { before: next, limit: limit - entries.length });
    entries.push(...page.entries);
    next = page.next;
  } while (next !== null && entries.length < limit && clock.monotonicMs() < untilMs);
  return { entries, next };
}

/**
 * Every page of the records that match now, newest first, those before a position where one is given; records that
 * arrive later are not included. Holds one page at a time. A page may be empty, so that a reader that no longer wants the rest can stop there.
 * Rejects with `store_unavailable`.
 */
export async function* readAllPages(
  reader: Pick<DecisionLogReader, 'query'>,
  filter: RecordFilter,
  limit: number,
  from: LogPosition | null = null,
): AsyncGenerator<readonly LogEntry[]> {
  let before: LogPosition | null = from;
  do {
    const page: LogPage = await reader.query(filter, { before, limit });
    yield page.entries;
    before = page.next;
  } while (before !== null);
}
