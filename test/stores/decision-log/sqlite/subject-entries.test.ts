import t from 'tap';
import { packSubject } from '../../../../src/stores/decision-log/sqlite/entry-subjects.ts';
import type { SegmentReader } from '../../../../src/stores/decision-log/sqlite/segment-reader.ts';
import { entriesAbout } from '../../../../src/stores/decision-log/sqlite/subject-entries.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';

const DEVICE = 'b'.repeat(32);
const SUBJECT = packSubject(createDecisionRecord(0, 1).subject);
const FILTER = { device: [DEVICE] };
/** Entries 3 and 2 are about the device. */
const segment = {
  entriesOfSubject: (_part: number, _key: bigint, _below: number, limit: number) => [3, 2].slice(0, limit),
  entryOf: () => ({ subject: SUBJECT }),
} as unknown as SegmentReader;

t.test('says how far it looked', async (t) => {
  t.same(entriesAbout(segment, FILTER, 2), { seqs: [3, 2], lookedAt: 2, reached: null });
  t.same(entriesAbout(segment, FILTER, 1), { seqs: [3], lookedAt: 1, reached: 3 });
});

t.test('calls no answer whole for which nothing more may be looked at', async (t) => {
  const { lookedAt, reached } = entriesAbout(segment, FILTER, 0);
  t.equal(lookedAt, 0);
  t.not(reached, null);
});
