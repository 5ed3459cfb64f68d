import t from 'tap';
import {
  CHANGE_IDS_REMEMBERED,
  changePolicies,
  countTakenBack,
  hashesOf,
  laterRecord,
  NO_POLICY,
  POLICIES_REMEMBERED,
  type PolicyEntry,
  rememberPolicy,
  takenBackAtMs,
} from '../../../src/domain/policy-in-force/policy-record.ts';

const entryOf = (hash: string, sinceMs = 0): PolicyEntry => ({
  id: 'p',
  hash,
  sinceMs,
  by: null,
  why: 'file',
  previousHash: null,
});

t.test('remembers a bounded number, the newest first, and none twice in a row', async (t) => {
  let record = NO_POLICY;
  for (let number = 0; number < POLICIES_REMEMBERED + 1; number += 1)
    record = rememberPolicy(record, entryOf(`h-${number}`), `id-${number}`) ?? NO_POLICY;
  t.equal(record.history.length, POLICIES_REMEMBERED);
  t.equal(record.history[0]?.hash, `h-${POLICIES_REMEMBERED}`);
  t.equal(record.history.at(-1)?.hash, 'h-1');
  t.equal(rememberPolicy(record, entryOf(`h-${POLICIES_REMEMBERED}`), 'id'), null);
  const put = { ...record, inForce: entryOf('put') };
  t.equal(rememberPolicy(put, entryOf('x'), 'id'), null, 'the file did not come into force');
  const changed = changePolicies(record, { inForce: null, rollout: null, entry: entryOf('x'), id: 'x' });
  t.equal(changed.changeIds.length, CHANGE_IDS_REMEMBERED);
  t.strictSame(changed.changeIds.slice(0, 2), ['x', `id-${POLICIES_REMEMBERED}`]);
  t.equal(changed.history.length, POLICIES_REMEMBERED);
  t.equal(changed.history[0]?.hash, 'x');
});

t.test('takes the later state, and all that either remembers', async (t) => {
  const known = {
    revision: 7,
    inForce: entryOf('c', 3),
    rollout: { id: 'r', hash: 'b', part: null },
    history: [entryOf('c', 3), entryOf('a', 1)],
    aborted: [{ hash: 'x', atMs: 5, by: null }],
    changeIds: ['3', '1'],
  };
  const found = {
    revision: 5,
    inForce: null,
    rollout: null,
    history: [entryOf('b', 2), entryOf('a', 1)],
    aborted: [
      { hash: 'y', atMs: 6, by: null },
      { hash: 'x', atMs: 5, by: null },
    ],
    changeIds: ['2', '1'],
  };
  const history = [entryOf('c', 3), entryOf('b', 2), entryOf('a', 1)];
  const { aborted } = found;
  t.strictSame(laterRecord(known, found), { ...known, history, aborted, changeIds: ['3', '1', '2'] });
  t.strictSame(laterRecord(found, known), { ...known, history, aborted, changeIds: ['2', '1', '3'] });
  t.same([...hashesOf({ ...known, history })].toSorted(), ['a', 'b', 'c']);
});

t.test('counts what was taken back without being asked for, since then', async (t) => {
  const back = (sinceMs: number, by: string | null = null) =>
    ({ ...entryOf('a', sinceMs), by, why: 'rolled_back' }) as const;
  const history = [back(30), back(20, 'admin'), entryOf('b', 15), back(10)];
  const aborted = [
    { hash: 'c', atMs: 25, by: null },
    { hash: 'c', atMs: 24, by: 'admin' },
  ];
  t.equal(countTakenBack({ history, aborted }, 9), 3);
  t.equal(countTakenBack({ history, aborted }, 10), 2);
  t.equal(countTakenBack({ history, aborted }, 25), 1);
  t.equal(countTakenBack({ history, aborted }, 30), 0);
});

t.test('knows when a policy was taken back last, in force or before', async (t) => {
  const history = [{ ...entryOf('former', 20), why: 'rolled_back' as const, previousHash: 'a' }];
  const aborted = [
    { hash: 'a', atMs: 30, by: 'admin' },
    { hash: 'b', atMs: 10, by: null },
  ];
  t.equal(takenBackAtMs({ history, aborted: [] }, 'a'), 20);
  t.equal(takenBackAtMs({ history, aborted }, 'a'), 30);
  t.equal(takenBackAtMs({ history, aborted }, 'b'), 10);
  t.equal(takenBackAtMs({ history, aborted }, 'former'), Number.NEGATIVE_INFINITY);
  let record = NO_POLICY;
  for (let atMs = 0; atMs <= POLICIES_REMEMBERED; atMs += 1)
    record = changePolicies(record, {
      inForce: null,
      rollout: null,
      entry: null,
      id: `${atMs}`,
      aborted: { hash: 'a', atMs, by: null },
    });
  t.equal(record.aborted.length, POLICIES_REMEMBERED);
  t.equal(record.aborted[0]?.atMs, POLICIES_REMEMBERED);
  t.equal(record.history.length, 0);
});
