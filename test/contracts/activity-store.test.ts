import t, { type Test } from 'tap';
import type { ActivityChange } from '../../src/application/activity/activity-store.ts';
import {
  ACTIVITY_PARTS,
  type ActivityPart,
  isPaired,
  SEEN_KINDS,
  WINDOW_SECONDS_MAX,
} from '../../src/domain/activity/activity-parts.ts';
import { type ActivityState, valuesOf } from '../../src/domain/activity/activity-state.ts';
import { createMemoryActivityStore } from '../../src/stores/activity/memory-store.ts';
import { watchRedisStore } from '../stores/redis/watched-store.ts';
import { createRandom, pick, type Random } from '../support/random.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { createManualClock, type ManualClock } from '../support/test-app.ts';
import { type ActivityStoreTwin, openRedisActivity, testActivityStore } from './activity-store.ts';

const server = await startRedisServer(t);
let deployments = 0;

const memory: ActivityStoreTwin = {
  id: 'memory',
  open: async (_t, clock) => createMemoryActivityStore({ clock }),
};
const redis: ActivityStoreTwin = { id: 'redis', open: openRedis };

const looped: string[] = [];
for (const twin of [memory, redis]) {
  looped.push(twin.id);
  t.test(`the ${twin.id} store keeps the contract of activity`, async (t) => testActivityStore(t, twin));
}
t.same(looped, ['memory', 'redis'], 'the suite looped over all stores');

t.test('both stores make the same of the same changes', async (t) => {
  const clock = createManualClock(1_800_000_000_000);
  const [inMemory, inRedis] = [await memory.open(t, clock), await redis.open(t, clock)];
  const random = createRandom(7);
  for (let turn = 0; turn < 400; turn += 1) {
    // The one that was seen longest ago makes room: no two turns are of one second, and no name is twice in one.
    clock.advance(1_000 * pick(random, [1, 1, 5, 60, 3_600, 86_400]));
    const changes = ACTIVITY_PARTS.map((part) => toRandomChange(random, part));
    const later = ACTIVITY_PARTS.map((part) => toRandomChange(random, part));
    const [ofMemory, ofRedis] = [[], []] as [unknown[], unknown[]];
    for (const [store, states] of [
      [inMemory, ofMemory],
      [inRedis, ofRedis],
    ] as const) {
      t.equal(await store.addNow([...changes, ...changes]), true);
      const told = await Promise.all(later.map(async (change) => store.take(change)));
      states.push(...told.map((known, place) => plain(ACTIVITY_PARTS[place] ?? 'ip', known?.state, clock)));
    }
    t.same(ofRedis, ofMemory, `turn ${turn}`);
  }
});

function toRandomChange(random: Random, part: ActivityPart): ActivityChange {
  const range = pick(random, [2, 5, 300]);
  return {
    entity: { part, hash: `0${ACTIVITY_PARTS.indexOf(part)}`.repeat(16) },
    values: SEEN_KINDS.map(() => (random() < 0.6 ? 1 + Math.floor(random() * range) * 0x101 : null)),
    acceptance: pick(random, [null, 'accepted', 'revoked']),
    measures: pick(random, [[], [0], [0, 1], [0, 0, 300], [65_535]]),
  };
}

/** A state without the order of its values, which is each store's own, and without those that no window reaches. */
function plain(part: ActivityPart, state: ActivityState | undefined, clock: ManualClock) {
  const oldest = clock.nowMs() / 1000 - WINDOW_SECONDS_MAX;
  const kinds = SEEN_KINDS.map((kind, place) => {
    const numbers = state === undefined ? [] : valuesOf(state, place);
    const values = Array.from({ length: numbers.length / 4 }, (_, at) => numbers.slice(4 * at, 4 * at + 4));
    const kept = values.filter(([, , last = 0]) => last > oldest).sort(([a = 0], [b = 0]) => a - b);
    return isPaired(part, kind) ? kept : kept.map(([name, , last]) => [name, last]);
  });
  const { firstSeconds, sinceSeconds, counts, compactAt } = state ?? {};
  return { firstSeconds, sinceSeconds, counts, compactAt, kinds };
}

/** Each opening gets a key prefix of its own. */
async function openRedis(t: Test, clock: ManualClock) {
  deployments += 1;
  const keyPrefix = `test-${deployments}`;
  const { redis, ready } = watchRedisStore(t, { url: server.url, clock, keyPrefix });
  await ready();
  return openRedisActivity(redis, clock);
}
