import t from 'tap';
import type { LookResult } from '../../../src/application/evidence/evidence-source.ts';
import { createSharedLooks } from '../../../src/application/evidence/shared-looks.ts';
import { createResult, createSource } from '../sources.ts';

const LIMITS = { maxAgeMs: null };

t.test('asks a source once about an id, and others by themselves', async (t) => {
  const first = createSource('first', 'device_id');
  const second = createSource('second', 'device_id');
  const looks = createSharedLooks();
  for (const source of [first, second, first])
    for (const id of ['a', 'b', 'a']) await looks.look(source, { id }, LIMITS);
  const askedOf = (source: typeof first) => source.asked.map(({ query }) => query.id);
  t.strictSame(
    [askedOf(first), askedOf(second)],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  );
});

t.test('says that a call was shared, and where a cache had it', async (t) => {
  const origins: Record<string, LookResult['origin']> = { a: 'miss', b: 'memory', c: 'none' };
  const source = createSource('one', 'device_id', ({ id }) => ({
    ...createResult('one'),
    origin: origins[id] ?? 'miss',
  }));
  const looks = createSharedLooks();
  const originOf = async (id: string) => (await looks.look(source, { id }, LIMITS)).origin;
  for (const id of ['a', 'b', 'c']) t.equal(await originOf(id), origins[id]);
  t.strictSame([await originOf('a'), await originOf('b'), await originOf('c')], ['shared', 'memory', 'none']);
});

t.test('a call under way is joined; later its result is at hand', async (t) => {
  const call = Promise.withResolvers<LookResult>();
  const source = createSource('one', 'device_id', () => call.promise);
  const looks = createSharedLooks();
  const both = [looks.look(source, { id: 'a' }, LIMITS), looks.look(source, { id: 'a' }, LIMITS)];
  call.resolve(createResult('one', { outcome: 'timeout', signals: null }));
  t.strictSame(
    (await Promise.all(both.map(async (look) => look))).map(({ origin }) => origin),
    ['miss', 'shared'],
  );
  const third = looks.look(source, { id: 'a' }, LIMITS);
  t.notOk(third instanceof Promise);
  t.match(third, { origin: 'shared', evidence: { outcome: 'timeout' } });
  t.equal(source.asked.length, 1, 'what failed is not asked again');
});

t.test('a source that rejects has said nothing, and is asked again', async (t) => {
  let isBroken = true;
  const source = createSource('one', 'device_id', () =>
    isBroken ? Promise.reject(new Error('a defect')) : createResult('one'),
  );
  const looks = createSharedLooks();
  await t.rejects(Promise.resolve(looks.look(source, { id: 'a' }, LIMITS)));
  isBroken = false;
  t.match(await looks.look(source, { id: 'a' }, LIMITS), { origin: 'miss' });
});
