import t from 'tap';
import { createCountChanges } from '../../../src/application/promotion/count-changes.ts';
import type { Verdict } from '../../../src/domain/verdict.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createMemoryDecisionLog } from '../../../src/stores/decision-log/memory/decision-log.ts';
import { createCandidateResult, createDecisionRecord } from '../../support/decision-records.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = Date.UTC(2026, 2, 1, 12, 30);
const [LIVE, NEXT, OTHER] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`) as [
  string,
  string,
  string,
];
const QUESTION = { answering: LIVE, candidate: NEXT, isNew: 'candidate', sinceMs: 0 } as const;

interface Made {
  readonly minutesAgo: number;
  readonly answered: Verdict;
  /** Undefined where it was not asked. */
  readonly next: Verdict | null | undefined;
  readonly count?: number;
  readonly live?: string;
}

function openCount(all: readonly Made[]) {
  const clock = { nowMs: () => NOW_MS, monotonicMs: () => 0 };
  const log = createMemoryDecisionLog({ recordsMax: 10_000, countsKeptMs: 24 * HOUR_MS, clock });
  let serial = 0;
  for (const { minutesAgo, answered, next, count = 1, live = LIVE } of all)
    for (let made = 0; made < count; made += 1) {
      serial += 1;
      const candidates = [
        createCandidateResult(OTHER, 'BLOCK'),
        ...(next === undefined ? [] : [createCandidateResult(NEXT, next)]),
      ];
      const record = createDecisionRecord(NOW_MS - minutesAgo * 60_000, serial, {
        decision: answered,
        policy: { id: 'shop', hash: live },
        candidates,
      });
      log.append({ number: serial, records: [record] });
    }
  const reader = { group: log.group, counts: log.counts };
  return { count: createCountChanges({ reader, nowMs: () => NOW_MS, formatTime: toRfc3339 }), reader };
}

t.test('counts what a candidate would have made of decisions, hour by hour', async (t) => {
  const { count } = openCount([
    { minutesAgo: 200, answered: 'ALLOW', next: undefined, count: 5 },
    { minutesAgo: 100, answered: 'ALLOW', next: undefined, count: 3 },
    { minutesAgo: 95, answered: 'ALLOW', next: 'BLOCK', count: 2 },
    { minutesAgo: 95, answered: 'CHALLENGE', next: 'ALLOW', live: OTHER },
    { minutesAgo: 1, answered: 'ALLOW', next: 'ALLOW', count: 7 },
    { minutesAgo: 0, answered: 'ALLOW', next: 'CHALLENGE' },
  ]);
  t.same(await count(QUESTION), {
    hours: 2,
    judged: 10,
    changedTo: { ALLOW: 0, CHALLENGE: 1, BLOCK: 2 },
    notJudged: 0,
  });
  t.match(await count({ ...QUESTION, sinceMs: NOW_MS }), { hours: 1, judged: 8 });
  const { changedTo } = await count({ ...QUESTION, isNew: 'answering' });
  t.same(changedTo, { ALLOW: 3, CHALLENGE: 0, BLOCK: 0 });
});

t.test('takes later decisions that nobody asked it about for not judged', async (t) => {
  const { count } = openCount([
    { minutesAgo: 95, answered: 'ALLOW', next: 'ALLOW' },
    { minutesAgo: 10, answered: 'ALLOW', next: undefined, count: 4 },
    { minutesAgo: 5, answered: 'ALLOW', next: null, count: 2 },
  ]);
  t.match(
    await count(QUESTION),
    { hours: 1, judged: 1, notJudged: 6 },
    'an hour without one it judged is none',
  );
});

t.test('has seen nothing of a candidate that judged nothing', async (t) => {
  const { count } = openCount([{ minutesAgo: 5, answered: 'ALLOW', next: undefined }]);
  t.match(await count(QUESTION), { hours: 0, judged: 0, notJudged: 1 });
});

t.test('forgives nothing where not all was counted', async (t) => {
  const { reader } = openCount([
    { minutesAgo: 10, answered: 'ALLOW', next: undefined, count: 3 },
    { minutesAgo: 5, answered: 'ALLOW', next: 'ALLOW' },
  ]);
  const counts = async () => [];
  for (const missing of [{ valuesOmitted: 1 }, { coveredFromMs: NOW_MS - 1 }]) {
    let groups = 0;
    const group: typeof reader.group = async (question) => {
      groups += 1;
      // The second reading is of the whole.
      const isMissing = groups === 2 || 'valuesOmitted' in missing;
      return { ...(await reader.group(question)), ...(isMissing && missing) };
    };
    const count = createCountChanges({
      reader: { group, counts },
      nowMs: () => NOW_MS,
      formatTime: toRfc3339,
    });
    t.match(await count(QUESTION), { judged: 1, notJudged: 3 });
  }
});

/** A log that looks at its latest records alone, and has counted all. */
function openShort(all: readonly Made[]) {
  const { reader } = openCount(all);
  let grouped = 0;
  const group: typeof reader.group = async (question) => {
    grouped += 1;
    const { steps, ...rest } = await reader.group(question);
    return { ...rest, steps: steps.slice(-1), coveredFromMs: NOW_MS - 60_000 };
  };
  const options = { reader: { ...reader, group }, nowMs: () => NOW_MS, formatTime: toRfc3339 };
  return { count: createCountChanges(options), grouped: () => grouped };
}

const BUSY: readonly Made[] = [
  { minutesAgo: 290, answered: 'ALLOW', next: undefined, count: 9 },
  { minutesAgo: 200, answered: 'ALLOW', next: undefined, count: 5 },
  { minutesAgo: 195, answered: 'ALLOW', next: 'BLOCK', count: 2 },
  { minutesAgo: 95, answered: 'CHALLENGE', next: 'ALLOW', count: 3 },
  // What the candidate itself answers is none of its transitions.
  { minutesAgo: 94, answered: 'BLOCK', next: undefined, live: NEXT, count: 4 },
  { minutesAgo: 1, answered: 'ALLOW', next: null },
  { minutesAgo: 1, answered: 'ALLOW', next: 'ALLOW', count: 7 },
];

t.test('counts by the hour where the log looks at its latest records alone', async (t) => {
  const { count } = openShort(BUSY);
  t.same(await count(QUESTION), {
    hours: 3,
    judged: 12,
    changedTo: { ALLOW: 3, CHALLENGE: 0, BLOCK: 2 },
    notJudged: 1,
  });
  t.match(await count({ ...QUESTION, isNew: 'answering' }), {
    judged: 12,
    changedTo: { ALLOW: 2, CHALLENGE: 3, BLOCK: 0 },
  });
  t.match(await openShort(BUSY.slice(0, 2)).count(QUESTION), { hours: 0, judged: 0, notJudged: 14 });
});

t.test('counts the latest records where nothing counted by the hour is left', async (t) => {
  const { reader } = openCount(BUSY);
  const group: typeof reader.group = async (question) => ({
    ...(await reader.group(question)),
    coveredFromMs: NOW_MS - 60_000,
  });
  const options = { nowMs: () => NOW_MS, formatTime: toRfc3339 };
  const count = createCountChanges({ ...options, reader: { group, counts: async () => [] } });
  t.match(await count({ ...QUESTION, isNew: 'answering' }), { judged: 12, changedTo: { CHALLENGE: 3 } });
});

t.test('leaves out what was counted while another policy answered too', async (t) => {
  const mixed: Made = { minutesAgo: 196, answered: 'ALLOW', next: 'CHALLENGE', live: OTHER };
  const { count, grouped } = openShort([...BUSY, mixed]);
  t.same(await count(QUESTION), {
    hours: 2,
    judged: 10,
    changedTo: { ALLOW: 3, CHALLENGE: 0, BLOCK: 0 },
    notJudged: 1,
  });
  t.equal(grouped(), 1);
  t.match(await count({ ...QUESTION, isNew: 'answering' }), { hours: 1, judged: 7 }, 'never of what answers');
  const late = openShort([...BUSY, { ...mixed, minutesAgo: 2 }]);
  t.match(await late.count(QUESTION), { hours: 1, judged: 7 }, 'where no hour is clear');
  const unasked = openShort([...BUSY, { ...mixed, minutesAgo: 289, next: undefined }]);
  t.match(await unasked.count(QUESTION), { hours: 3, judged: 12 }, 'nor where nothing is mixed by it');
});

t.test('forgives nothing of an hour after one that is left out', async (t) => {
  const { count } = openShort([
    { minutesAgo: 196, answered: 'ALLOW', next: 'ALLOW', live: OTHER },
    { minutesAgo: 95, answered: 'ALLOW', next: undefined, count: 2 },
    { minutesAgo: 94, answered: 'ALLOW', next: 'ALLOW', count: 5 },
  ]);
  t.match(await count(QUESTION), { hours: 1, judged: 5, notJudged: 2 });
});

t.test('rejects where the log cannot be read', async (t) => {
  const count = createCountChanges({
    reader: { group: () => Promise.reject(new Error('lost')), counts: async () => [] },
    nowMs: () => NOW_MS,
    formatTime: toRfc3339,
  });
  await t.rejects(count(QUESTION), /lost/);
});

t.test('asks nothing of an hour that is yet to begin', async (t) => {
  const count = createCountChanges({
    reader: { group: () => Promise.reject(new Error('asked')), counts: async () => [] },
    nowMs: () => NOW_MS,
    formatTime: toRfc3339,
  });
  const nextHourMs = Math.floor(NOW_MS / 3_600_000) * 3_600_000 + 3_600_000;
  t.match(await count({ ...QUESTION, sinceMs: nextHourMs }), { hours: 0, judged: 0, notJudged: 0 });
});
