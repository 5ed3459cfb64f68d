import { hash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { ActivityChange, ActivityEntity } from '../src/application/activity/activity-store.ts';
import { measureNumber } from '../src/domain/activity/activity-measures.ts';
import { type ActivityPart, kindsOf, SEEN_KINDS } from '../src/domain/activity/activity-parts.ts';
import { nameOfHash } from '../src/domain/activity/seen-name.ts';
import { systemClock } from '../src/platform/clock.ts';
import { createRedisActivityStore } from '../src/stores/activity/redis-store.ts';
import { createRedisGenerations } from '../src/stores/redis/generations.ts';
import { createRedisHandle } from '../src/stores/redis/handle.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { toRedisTarget } from '../test/support/redis-target.ts';
import { BenchProcesses } from './processes.ts';

/** So many changes are sent in one turn, and so many of those are on the way. */
const [TURN, TURNS] = [32, 8];
const PARTS: readonly ActivityPart[] = ['account', 'device'];
const PATIENCE_MS = 60_000;

/** Fills a Redis of its own with accounts and devices, and tells what one costs. */
async function measure(entities: number): Promise<void> {
  const processes = new BenchProcesses();
  const server = await startRedisServer(processes);
  const target = toRedisTarget(server.url);
  const redis = createRedisHandle({ target, name: 'bench', budgetMs: PATIENCE_MS });
  await new Promise<void>((resolve) => redis.onUp(() => resolve()));
  const keyIds = ['aa'];
  const [clock, retentionMs] = [systemClock, 86_400_000];
  const generations = createRedisGenerations({ redis, clock, keyIds, retentionMs });
  const store = createRedisActivityStore({ redis, clock, keyIds, generations });
  const info = async (section: string, field: string): Promise<number> => {
    const text = await redis.client.info(section);
    return Number(new RegExp(`^${field}:([0-9.]+)`, 'm').exec(text)?.[1]);
  };
  const cpuMicros = async () =>
    1e6 * ((await info('cpu', 'used_cpu_user')) + (await info('cpu', 'used_cpu_sys')));
  const ownMicros = () => process.cpuUsage().user + process.cpuUsage().system;
  const beforeMaking = ownMicros();
  for (let place = 0; place < entities; place += 1) toChange(place);
  /** What making up the changes takes, which is no part of storing them. */
  const makingMicros = ownMicros() - beforeMaking;
  /** Of Redis, and of this process. */
  const spent = async () => [await cpuMicros(), ownMicros()] as const;
  const since = async ([redisBefore, ownBefore]: readonly [number, number]) => {
    const own = ownMicros() - ownBefore - makingMicros;
    const [ofRedis, ofOwn] = [(await cpuMicros()) - redisBefore, own].map((micros) =>
      (micros / entities).toFixed(1),
    );
    return `${ofRedis} µs of Redis and ${ofOwn} of the process`;
  };
  await redis.client.ping();

  const bytesBefore = await info('memory', 'used_memory');
  const write = async (what: string): Promise<void> => {
    const before = await spent();
    await forAll(entities, async (places) => {
      if (!(await store.addNow(places.map(toChange)))) throw new Error('Redis did not keep it');
    });
    console.log(`${what}: ${await since(before)} for each change`);
  };
  await write('first');
  const bytes = (await info('memory', 'used_memory')) - bytesBefore;
  console.log(`${entities} accounts and devices: ${(bytes / entities).toFixed(0)} bytes for each`);
  await write('again');
  const before = await spent();
  await forAll(entities, async (places) => {
    const asked = places.map((place) => ({ ...toChange(place), acceptance: null, measures: [] }));
    const known = await Promise.all(asked.map(async (each) => store.take(each)));
    if (known.includes(null)) throw new Error('activity is unknown');
  });
  console.log(`asked: ${await since(before)} for each entity`);
  await redis.close();
  await processes.end();
}

/** Does a job for all places, a turn at a time. */
async function forAll(count: number, job: (places: readonly number[]) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let from = next; from < count; from = next) {
      next += TURN;
      await job(Array.from({ length: Math.min(TURN, count - from) }, (_, place) => from + place));
    }
  };
  await Promise.all(Array.from({ length: TURNS }, work));
}

/** An ALLOW that was seen with one value of each kind. */
function toChange(place: number): ActivityChange {
  const part = PARTS[place % PARTS.length] ?? 'account';
  const entity: ActivityEntity = { part, hash: hash('sha256', `entity ${place}`).slice(0, 32) };
  const kinds = kindsOf(part);
  const values = SEEN_KINDS.map((kind) =>
    kinds.includes(kind) ? nameOfHash(hash('sha256', `${kind} ${place}`)) : null,
  );
  return { entity, values, acceptance: 'accepted', measures: [measureNumber('decisions')] };
}

const { values } = parseArgs({ options: { entities: { type: 'string', default: '20000' } } });
await measure(Number(values.entities));
