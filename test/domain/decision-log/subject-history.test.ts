import t from 'tap';
import { SubjectTally } from '../../../src/domain/decision-log/subject-history.ts';
import { searchedHashesOf } from '../../../src/domain/decision-log/subject-parts.ts';

const DAY_MS = 86_400_000;
const subject = { telemetry: 't1', devices: ['d1', 'd2'], account: 'a1', ip: null };

t.test('has nothing to say of what was never seen', async (t) => {
  t.equal(new SubjectTally('a1').read(true), null);
});

t.test('adds up decisions in any order', async (t) => {
  const tally = new SubjectTally('a1');
  tally.add({ atMs: DAY_MS + 5, decision: 'BLOCK', subject, label: 'fraud' });
  tally.add({
    atMs: 3,
    decision: 'ALLOW',
    subject: { ...subject, devices: ['d2'], visitor: 'v1' },
    label: null,
  });
  tally.add({
    atMs: DAY_MS + 1,
    decision: 'BLOCK',
    subject: { ...subject, telemetry: null },
    label: 'fraud',
  });
  t.equal(tally.total, 3);
  t.strictSame(tally.read(false), {
    firstSeenMs: 3,
    lastSeenMs: DAY_MS + 5,
    total: 3,
    verdicts: { BLOCK: 2, ALLOW: 1 },
    days: [
      { startMs: 0, verdicts: { ALLOW: 1 } },
      { startMs: DAY_MS, verdicts: { BLOCK: 2 } },
    ],
    labels: { fraud: 2 },
    seenWith: {
      telemetry: {
        distinct: 1,
        subjects: [{ hash: 't1', count: 2, firstSeenMs: 3, lastSeenMs: DAY_MS + 5 }],
      },
      device: {
        distinct: 2,
        subjects: [
          { hash: 'd2', count: 3, firstSeenMs: 3, lastSeenMs: DAY_MS + 5 },
          { hash: 'd1', count: 2, firstSeenMs: DAY_MS + 1, lastSeenMs: DAY_MS + 5 },
        ],
      },
      account: { distinct: 0, subjects: [] },
      ip: { distinct: 0, subjects: [] },
      visitor: { distinct: 1, subjects: [{ hash: 'v1', count: 1, firstSeenMs: 3, lastSeenMs: 3 }] },
    },
    isWhole: false,
  });
});

t.test('names the subjects that were seen most, then last, and counts the others', async (t) => {
  const tally = new SubjectTally('a1');
  const see = (atMs: number, device: string) =>
    tally.add({ atMs, decision: 'ALLOW', subject: { ...subject, devices: [device] }, label: null });
  for (let device = 10; device < 35; device += 1) see(0, `d${device}`);
  see(0, 'd34');
  see(9, 'late');
  const { distinct, subjects } = tally.read(true)?.seenWith.device ?? {};
  t.equal(distinct, 26);
  t.equal(subjects?.length, 20);
  t.same(
    subjects?.slice(0, 3).map(({ hash }) => hash),
    ['d34', 'late', 'd10'],
  );
});

t.test('names subjects that were seen alike by their hash, in whatever order they came', async (t) => {
  for (const devices of [
    ['d1', 'd2', 'd3'],
    ['d3', 'd2', 'd1'],
  ]) {
    const tally = new SubjectTally('a1');
    tally.add({ atMs: 0, decision: 'ALLOW', subject: { ...subject, devices }, label: null });
    const named = tally.read(true)?.seenWith.device.subjects.map(({ hash }) => hash);
    t.same(named, ['d1', 'd2', 'd3']);
  }
});

t.test('finds an address by its network too, once', async (t) => {
  t.same(searchedHashesOf({ ...subject, ip: 'i', network: 'n' }, 'ip'), ['i', 'n']);
  t.same(searchedHashesOf({ ...subject, ip: 'i', network: 'i' }, 'ip'), ['i']);
  t.same(searchedHashesOf({ ...subject, ip: null, network: null }, 'ip'), []);
  t.same(searchedHashesOf({ ...subject, network: 'n' }, 'device'), ['d1', 'd2']);
});
