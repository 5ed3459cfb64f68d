import t from 'tap';
import type { KnownId } from '../../../src/providers/calls/known-ids.ts';
import {
  createNotFoundCanary,
  type Recheck,
  type SuspectChange,
} from '../../../src/providers/calls/not-found-canary.ts';

/** A canary at an upstream that answers rechecks as the test says. */
function open(recheck: (known: KnownId) => Recheck = () => 'not_found') {
  let nowMs = 0;
  let serial = 0;
  const changes: SuspectChange[] = [];
  const rechecks: string[][] = [];
  const canary = createNotFoundCanary({
    nowMs: () => nowMs,
    recheck: async (known) => {
      rechecks.push(known.map(({ id }) => id));
      return known.map(recheck);
    },
    onChange: (change) => changes.push(change),
  });
  const record = (isFound: boolean, source: string, validUntilMs: number | null = null) => {
    serial += 1;
    canary.record({ id: `id-${serial}`, key: `key-${serial}`, source, isFound, validUntilMs });
  };
  /** So many calls, from the sources in turn. */
  const burst = async (count: number, isFound: boolean, sources: readonly string[] = ['one']) => {
    for (let index = 0; index < count; index += 1) record(isFound, sources[index % sources.length] ?? '');
    await settle();
  };
  return {
    canary,
    changes,
    rechecks,
    record,
    burst,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

const settle = () => new Promise(setImmediate);
const networks = (count: number, prefix = 'network') =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index}`);

t.test('becomes suspect when ids that were known are gone', async (t) => {
  const { canary, changes, rechecks, burst } = open();
  await burst(20, true, networks(20));
  await burst(9, false, networks(20));
  t.equal(rechecks.length, 0, 'fewer than ten prove nothing');
  await burst(200, false, networks(20));
  t.ok(canary.isSuspect());
  t.equal(rechecks[0]?.length, 5);
  t.match(changes, [{ isSuspect: true, cause: 'known_ids_not_found' }]);
  t.ok((changes[0]?.notFoundKeys.length ?? 0) >= 10);
});

t.test('becomes suspect in a service with one caller that names no address', async (t) => {
  const { canary, burst } = open();
  await burst(50, true);
  await burst(50, false);
  t.ok(canary.isSuspect());
});

t.test('is not tripped by a burst of forged ids, from one source or from thousands', async (t) => {
  for (const sources of [['one'], networks(4), networks(5_000)]) {
    const { canary, changes, rechecks, burst } = open(() => 'found');
    await burst(40, true, networks(20, 'customer'));
    await burst(5_000, false, sources);
    t.notOk(canary.isSuspect());
    t.same(changes, []);
    t.ok(rechecks.length <= 1, 'and costs next to no calls');
  }
});

t.test('does not even ask again for a burst from one caller or network', async (t) => {
  const { rechecks, burst } = open();
  await burst(40, true, networks(20, 'customer'));
  await burst(5_000, false, ['forger']);
  t.equal(rechecks.length, 0);
});

t.test('does not ask again while others are found', async (t) => {
  const { rechecks, burst } = open();
  for (let round = 0; round < 50; round += 1) {
    await burst(9, false, networks(50));
    await burst(1, true, ['customer']);
  }
  t.equal(rechecks.length, 0);
});

t.test('is told by one id that is found, and by none that gives no answer', async (t) => {
  for (const answer of ['found', null] as const) {
    const { canary, burst } = open(({ id }) => (answer === null || id === 'id-20' ? answer : 'not_found'));
    await burst(20, true, networks(20));
    await burst(100, false, networks(20));
    t.notOk(canary.isSuspect(), String(answer));
  }
});

t.test('believes what was found while it asked again more than what was not', async (t) => {
  let isFoundMeanwhile = true;
  const { canary, record, burst, advance, rechecks } = open(() => {
    if (isFoundMeanwhile) record(true, 'somebody else');
    isFoundMeanwhile = false;
    return 'not_found';
  });
  await burst(20, true, networks(20));
  await burst(21, false, networks(20));
  t.same([rechecks.length, canary.isSuspect()], [1, false]);
  advance(10_000);
  await burst(21, false, networks(20, 'later network'));
  t.same([rechecks.length, canary.isSuspect()], [2, true], 'as long as nothing is found again');
});

t.test('counts repeats of one id once', async (t) => {
  const { canary, rechecks, burst } = open();
  await burst(20, true);
  for (let index = 0; index < 100; index += 1) {
    canary.record({ id: 'x', key: 'x', source: 'one', isFound: false, validUntilMs: null });
  }
  await settle();
  t.equal(rechecks.length, 0);
});

t.test('asks again only about ids that should still be there', async (t) => {
  const { canary, rechecks, record, burst, advance } = open();
  for (const source of networks(10)) record(true, source, 1_000);
  advance(900);
  await burst(100, false, networks(10));
  t.equal(rechecks.length, 0, 'the provider itself said that they expire');
  advance(60_000);
  await burst(5, true, networks(5));
  advance(3_600_001);
  await burst(100, false, networks(10));
  t.equal(rechecks.length, 0, 'known too long ago');
  t.notOk(canary.isSuspect());
});

t.test('recovers with the first id that is found', async (t) => {
  const { canary, changes, burst } = open();
  await burst(20, true);
  await burst(20, false);
  t.ok(canary.isSuspect());
  await burst(1, true);
  t.notOk(canary.isSuspect());
  t.match(changes, [{ isSuspect: true }, { isSuspect: false, cause: 'found_again' }]);
  await burst(100, false);
  t.notOk(canary.isSuspect(), 'and does not believe a recheck for a minute, having been wrong');
});

t.test('recovers by asking again, although all that comes is forged', async (t) => {
  let answer: Recheck = 'not_found';
  const { canary, rechecks, burst, advance } = open(() => answer);
  await burst(20, true);
  await burst(20, false);
  t.ok(canary.isSuspect());
  advance(5_000);
  await burst(1, false);
  t.ok(canary.isSuspect());
  answer = 'found';
  advance(4_999);
  await burst(1, false);
  t.equal(rechecks.length, 2, 'at most every five seconds');
  advance(1);
  await burst(1, false);
  t.notOk(canary.isSuspect());
});

t.test('is not held in suspicion by silence', async (t) => {
  const { canary, changes, burst, advance } = open();
  await burst(20, true);
  await burst(20, false);
  advance(60_001);
  t.notOk(canary.isSuspect());
  t.match(changes.at(-1), { isSuspect: false, cause: 'quiet' });
});

t.test('becomes suspect where nobody was ever known, by fifty ids from ten sources', async (t) => {
  const alone = open();
  await alone.burst(5_000, false, networks(9));
  t.notOk(alone.canary.isSuspect(), 'nine sources are not enough');
  const { canary, changes, burst } = open();
  await burst(49, false, networks(10));
  t.notOk(canary.isSuspect());
  await burst(1, false, networks(10));
  t.ok(canary.isSuspect());
  t.match(changes, [{ isSuspect: true, cause: 'nothing_ever_found' }]);
  await burst(1, true);
  t.notOk(canary.isSuspect(), 'one that is known ends it');
  await burst(5_000, false, networks(50));
  t.notOk(canary.isSuspect(), 'for good');
});

t.test('needs no traffic worth the name', async (t) => {
  const { canary, burst, advance } = open();
  await burst(5, true);
  for (let index = 0; index < 12; index += 1) {
    advance(60_000);
    await burst(1, false);
  }
  t.ok(canary.isSuspect());
});
