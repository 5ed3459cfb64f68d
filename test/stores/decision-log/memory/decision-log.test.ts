import t from 'tap';
import { createMemoryDecisionLog } from '../../../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { createManualClock } from '../../../support/test-app.ts';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1, 12);

function openLog(recordsMax: number) {
  const clock = createManualClock(START_MS);
  const log = createMemoryDecisionLog({ clock, recordsMax, countsKeptMs: 48 * HOUR_MS });
  let number = 0;
  const append = (serial: number) => {
    number += 1;
    const record = createDecisionRecord(clock.nowMs(), serial);
    log.append({ number, records: [record] });
    return record;
  };
  return { clock, log, append };
}

t.test('makes room for new records, and says so to who reads on', async (t) => {
  const { log, append } = openLog(3);
  const records = [1, 2, 3].map(append);
  const { position } = await log.readAfter(null, 1);
  const later = [4].map(append);
  t.match(await log.readAfter(position, 10), { isGap: false, entries: { length: 3 } });
  append(5);
  const slice = await log.readAfter(position, 10);
  t.equal(slice.isGap, true, 'the second is gone');
  t.equal(slice.entries.length, 3);
  t.equal(await log.find(records[1]?.decision_id ?? ''), null);
  t.match(await log.find(later[0]?.decision_id ?? ''), { record: later[0] });
  const page = await log.query({}, { before: null, limit: 10 });
  t.match(page, { entries: { length: 3 }, next: null });
  t.same(await log.query({}, { before: position, limit: 10 }), { entries: [], next: null });
});

t.test('finds every record that is kept and no other, in whatever order their ids are', async (t) => {
  const RECORDS_MAX = 1_000;
  const orders: Readonly<Record<string, (serial: number) => number>> = {
    'rising ids': (serial) => serial,
    'a clock that is set back by a minute now and then': (serial) =>
      serial - (Math.floor(serial / 300) % 3) * 60_000,
    'falling ids': (serial) => -serial,
    'ids without an order': (serial) => (serial * 7_919) % 100_003,
  };
  for (const [what, offsetMsOf] of Object.entries(orders)) {
    const { log } = openLog(RECORDS_MAX);
    const records = Array.from({ length: 3_000 }, (_, serial) =>
      createDecisionRecord(START_MS + offsetMsOf(serial), serial),
    );
    let wrong = 0;
    for (const [place, record] of records.entries()) {
      log.append({ number: place, records: [record] });
      // Looked for at every state of the ring: some before it is full, some that are gone.
      for (const back of [0, 1, 255, 256, 257, 700, RECORDS_MAX - 1, RECORDS_MAX, 1_300]) {
        const sought = records[place - back];
        if (sought === undefined) continue;
        const found = await log.find(sought.decision_id);
        if ((found?.record === sought) !== back < RECORDS_MAX) wrong += 1;
      }
    }
    t.equal(wrong, 0, what);
  }
});

t.test('finds records of a large log, and none that makes room meanwhile', async (t) => {
  const RECORDS_MAX = 45_000;
  const { log, append } = openLog(RECORDS_MAX);
  const records = Array.from({ length: RECORDS_MAX }, (_, serial) => createDecisionRecord(START_MS, serial));
  log.append({ number: 0, records });
  const [oldest, second] = records;
  const { entries } = await log.readAfter(null, 2);
  const [gone, found] = [log.find(oldest?.decision_id ?? ''), log.find(second?.decision_id ?? '')];
  append(RECORDS_MAX);
  t.equal(await gone, null);
  t.same(await found, { ...entries[1], labels: [] });
});

t.test('keeps both of two labels that come at the same time', async (t) => {
  const { log, append } = openLog(1);
  const { decision_id: id, decided_at: at } = append(1);
  const label = { label: 'fraud', at, note: null, caller: 'c' } as const;
  await Promise.all([log.label(id, label, true), log.label(id, { ...label, label: 'legit' }, true)]);
  t.match(await log.find(id), { labels: [{ label: 'fraud' }, { label: 'legit' }] });
});

t.test('forgets the labels of records that made room', async (t) => {
  const { log, append } = openLog(1);
  const first = append(1);
  const label = { label: 'fraud', at: first.decided_at, note: null, caller: 'c' } as const;
  await log.label(first.decision_id, label, true);
  append(2);
  const again = append(1);
  t.match(await log.find(again.decision_id), { labels: [] });
});

t.test('knows the positions of another process', async (t) => {
  const before = openLog(10);
  before.append(1);
  const { position } = await before.log.readAfter(null, 1);
  const clock = createManualClock(START_MS + 1000);
  const after = createMemoryDecisionLog({ clock, recordsMax: 10, countsKeptMs: HOUR_MS });
  t.same(await after.readAfter(position, 1), { entries: [], position: null, isGap: true });
});

t.test('shares no position and no version with a replica that started in the same moment', async (t) => {
  const [one, other] = [openLog(10), openLog(10)];
  one.append(1);
  other.append(2);
  t.not(await one.log.version(), await other.log.version());
  t.match(await other.log.readAfter(await one.log.newest(), 10), { isGap: true, entries: { length: 1 } });
});

t.test('counts minutes for a day and hours for longer', async (t) => {
  const { clock, log, append } = openLog(10);
  append(1);
  clock.advance(60_000);
  const late = createDecisionRecord(START_MS, 2);
  append(3);
  log.append({ number: 99, records: [late] });
  const all = { sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER } as const;
  const totals = async (period: 'minute' | 'hour') =>
    (await log.counts({ ...all, period })).map(({ counts }) => counts.get('decision:CHALLENGE'));
  t.same(await totals('minute'), [2, 1]);
  t.same(await totals('hour'), [3]);
  clock.advance(25 * HOUR_MS);
  append(4);
  t.same(await totals('minute'), [1]);
  t.same(await totals('hour'), [3, 1]);
  clock.advance(48 * HOUR_MS);
  append(5);
  t.same(await totals('hour'), [1]);
});

t.test('looks through a bounded number of records for one page', async (t) => {
  const { log } = openLog(50_000);
  const records = Array.from({ length: 45_000 }, (_, serial) => createDecisionRecord(START_MS, serial));
  log.append({ number: 1, records });
  let pages = 0;
  let before: string | null = null;
  do {
    const page = await log.query({ caller: 'nobody' }, { before, limit: 10 });
    pages += 1;
    before = page.next;
  } while (before !== null);
  t.equal(pages, 9);
});
