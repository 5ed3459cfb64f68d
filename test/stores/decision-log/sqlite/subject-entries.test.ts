import t from 'tap';
import { packSubject } from '../../../../src/stores/decision-log/sqlite/entry-subjects.ts';
import { groupSegments } from '../../../../src/stores/decision-log/sqlite/history-groups.ts';
import type { SegmentReader } from '../../../../src/stores/decision-log/sqlite/segment-reader.ts';
import { entriesAbout } from '../../../../src/stores/decision-log/sqlite/subject-entries.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';

const DEVICE = 'b'.repeat(32);
const SUBJECT = packSubject(createDecisionRecord(0, 1).subject);
const FILTER = { device: [DEVICE] };
const entryOf = (seq: number, atMs = 0) => ({ seq, atMs, shape: 1, subject: SUBJECT });
/** Entries 3 and 2 are about the device. */
const segment = {
  factsOfSubject: (_part: number, _key: Uint8Array, limit: number) =>
    [3, 2].slice(0, limit).map((seq) => entryOf(seq)),
} as unknown as SegmentReader;

t.test('leaves out the entries of a hash that has the same key alone', async (t) => {
  const other = { device: [`${DEVICE.slice(0, -1)}c`] };
  t.same(entriesAbout(segment, other, 2), { entries: [], lookedAt: 2, reached: null });
});

t.test('says how far it looked', async (t) => {
  t.same(entriesAbout(segment, FILTER, 2), { entries: [entryOf(3), entryOf(2)], lookedAt: 2, reached: null });
  t.same(entriesAbout(segment, FILTER, 1), { entries: [entryOf(3)], lookedAt: 1, reached: 3 });
});

t.test('calls no answer whole for which nothing more may be looked at', async (t) => {
  const { lookedAt, reached } = entriesAbout(segment, FILTER, 0);
  t.equal(lookedAt, 0);
  t.not(reached, null);
});

t.test('covers no entry that it has not counted', async (t) => {
  const createSegment = (seqs: readonly number[], atMs: number) =>
    ({
      factsOfSubject: (_part: number, _key: Uint8Array, limit: number) =>
        seqs.slice(0, limit).map((seq) => entryOf(seq, atMs)),
      entryOf: (seq: number) => entryOf(seq, atMs),
      shapes: () => new Map(),
      places: () => new Map(),
      actions: () => new Map(),
      labelsInForce: () => new Map(),
      columns: { chunksOf: () => [] },
    }) as unknown as SegmentReader;
  // As many as are looked at for one question.
  const all = Array.from({ length: 50_000 }, (_, place) => 50_000 - place);
  const question = { filter: FILTER, sinceMs: 0, stepMs: 60_000, by: [] };
  const { coveredFromMs } = groupSegments([createSegment(all, 2_000), createSegment([1], 1_000)], question);
  t.equal(coveredFromMs, 1_001);
});
