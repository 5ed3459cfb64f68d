import t from 'tap';
import type { LogEntry, LogPage, QueryOptions } from '../../../src/application/decision-log/decision-log.ts';
import { readAllPages, readPage } from '../../../src/application/decision-log/read-pages.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

/** A log of `length` entries that looks through three of them in one query, of which the even ones fit. */
function sparseLog(length: number, onQuery: () => void = () => {}) {
  const asked: QueryOptions[] = [];
  const query = async (_: object, options: QueryOptions): Promise<LogPage> => {
    asked.push(options);
    onQuery();
    const start = options.before === null ? length : Number(options.before);
    const end = Math.max(0, start - 3);
    const entries: LogEntry[] = [];
    for (let place = start - 1; place >= end; place -= 1) {
      if (place % 2 === 0) entries.push({ position: String(place), record: createDecisionRecord(0, place) });
      if (entries.length === options.limit) return { entries, next: place > 0 ? String(place) : null };
    }
    return { entries, next: end > 0 ? String(end) : null };
  };
  return { query, asked };
}

const places = (entries: readonly LogEntry[]) => entries.map(({ position }) => Number(position));

t.test('fills a page from several queries', async (t) => {
  const log = sparseLog(20);
  const clock = createManualClock();
  const page = await readPage(log, {}, { before: null, limit: 4 }, clock);
  t.same([places(page.entries), page.next], [[18, 16, 14, 12], '12']);
  t.same(
    log.asked.map(({ limit }) => limit),
    [4, 3, 1],
    'asking for no more than is missing',
  );
  const rest = await readPage(log, {}, { before: page.next, limit: 100 }, clock);
  t.same([places(rest.entries), rest.next], [[10, 8, 6, 4, 2, 0], null]);
});

t.test('answers a short page rather than look for long', async (t) => {
  const clock = createManualClock();
  const log = sparseLog(1000, () => clock.advance(100));
  const page = await readPage(log, {}, { before: null, limit: 100 }, clock);
  t.equal(log.asked.length, 3);
  t.ok(page.entries.length < 100);
  t.equal(page.next, '991');
});

t.test('reads all pages, those too in which nothing fits', async (t) => {
  const log = sparseLog(7);
  const pages: number[][] = [];
  for await (const entries of readAllPages(log, {}, 1)) pages.push(places(entries));
  t.same(pages, [[6], [4], [2], [0]]);
  const empty = sparseLog(0);
  for await (const entries of readAllPages(empty, {}, 10)) t.same(entries, []);
  const none = async () => ({ entries: [], next: 'more' });
  let left = 3;
  for await (const entries of readAllPages({ query: none }, {}, 10)) {
    t.same(entries, []);
    left -= 1;
    if (left === 0) break;
  }
  t.equal(left, 0, 'so that a walk without an end can be left');
});
