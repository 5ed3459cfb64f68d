import t from 'tap';
import { createKeyedHash } from '../../src/platform/keyed-hash.ts';
import { createEvidence, createManualClock, settle } from '../contracts/evidence-store.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisServer } from '../support/redis-server.ts';

const CANARY = 'canary-352099001761481';

t.test('leaves no raw id in any key, value or message', async (t) => {
  const server = await startRedisServer(t);
  const clock = createManualClock();
  const { store, ready } = watchRedisStore(t, { url: server.url, clock });
  await ready();
  const hash = createKeyedHash('a secret of the tests', 'device_id');
  const key = `mobilerun:${hash(CANARY)}`;
  const seen = await server.monitor(async () => {
    store.set(key, createEvidence(clock, { provider: 'mobilerun' }));
    await settle(store);
    await store.get(key);
    await store.purge([key]);
  });
  t.match(seen, hash(CANARY), 'the traffic was looked at');
  t.match(seen, 'publish');
  t.notMatch(seen, CANARY);
  t.notMatch(seen, '352099001761481');
  t.match(await server.command('KEYS *'), hash(CANARY));
});
