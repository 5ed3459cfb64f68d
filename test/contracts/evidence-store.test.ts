import t, { type Test } from 'tap';
import type { Clock } from '../../src/application/clock.ts';
import type { ClosableEvidenceStore } from '../../src/stores/evidence/closable-evidence-store.ts';
import { createMemoryEvidenceStore } from '../../src/stores/evidence/memory-store.ts';
import { createTieredEvidenceStore } from '../../src/stores/evidence/tiered-evidence-store.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { testEvidenceClaims } from './evidence-claims.ts';
import { type EvidenceStoreTwin, testEvidenceStore } from './evidence-store.ts';

const server = await startRedisServer(t);
let deployments = 0;

const memory: EvidenceStoreTwin = {
  id: 'memory',
  open: async (_t, clock) => createMemoryEvidenceStore({ clock }),
  openReplica: null,
};
const redis = createSharedTwin('redis', openRedis);
const tiered = createSharedTwin('tiered', openTiered);

const looped: string[] = [];
for (const twin of [memory, redis, tiered]) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract`, async (t) => testEvidenceStore(t, twin));
  t.test(`the ${twin.id} store keeps the contract of claims`, async (t) => testEvidenceClaims(t, twin));
}
t.same(looped, ['memory', 'redis', 'tiered'], 'the suite looped over all stores');

type Open = (t: Test, clock: Clock, keyPrefix: string) => Promise<ClosableEvidenceStore>;

/** Each opening gets a key prefix of its own; a replica gets the latest one. */
function createSharedTwin(id: string, open: Open): EvidenceStoreTwin {
  return {
    id,
    open: (t, clock) => {
      deployments += 1;
      return open(t, clock, `test-${deployments}`);
    },
    openReplica: (t, clock) => open(t, clock, `test-${deployments}`),
  };
}

async function openRedis(t: Test, clock: Clock, keyPrefix: string): Promise<ClosableEvidenceStore> {
  const { store, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  return store;
}

async function openTiered(t: Test, clock: Clock, keyPrefix: string): Promise<ClosableEvidenceStore> {
  const { store, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  const tieredStore = createTieredEvidenceStore({
    memory: createMemoryEvidenceStore({ clock }),
    redis: store,
  });
  await ready();
  return tieredStore;
}
