import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { WaitingWebhook, WebhookOutbox } from '../../src/platform/webhooks/webhook-outbox.ts';
import { createRedisHandle } from '../../src/stores/redis/handle.ts';
import { openFileOutbox } from '../../src/stores/webhooks/file-outbox.ts';
import { createRedisOutbox } from '../../src/stores/webhooks/redis-outbox.ts';
import { readText } from '../docs/markdown.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toTarget } from '../support/redis-target.ts';
import { createDirectory, until } from '../support/test-app.ts';

const server = await startRedisServer(t);
let places = 0;

interface Place {
  /** A process that uses the place; `end` is its end, after which `open` is another one. */
  open(): Promise<{
    readonly outbox: WebhookOutbox;
    readonly failures: readonly string[];
    end(): Promise<void>;
  }>;
  /** How long after the end of a process its messages are another's. */
  readonly graceMs: number;
}

function createFilePlace(t: Test): Place {
  const path = join(createDirectory(t), 'data/webhooks.sqlite');
  return {
    graceMs: 0,
    open: async () => {
      const failures: string[] = [];
      const onFailed = (code: string) => failures.push(code);
      const outbox = openFileOutbox({ path, targets: ['soc', 'other'], onFailed });
      let isOpen = true;
      const end = async () => {
        if (isOpen) outbox.close();
        isOpen = false;
      };
      t.teardown(end);
      return { outbox, failures, end };
    },
  };
}

const GRACE_MS = 300;

async function openRedis(t: Test, keyPrefix: string, graceMs: number) {
  const failures: string[] = [];
  const redis = createRedisHandle({
    target: toTarget({ url: server.url, keyPrefix }),
    name: 'test',
    budgetMs: 5_000,
  });
  const onFailed = (code: string) => failures.push(code);
  const outbox = createRedisOutbox({ redis, nowMs: () => Date.now(), graceMs, onFailed });
  t.teardown(() => redis.close());
  await until('Redis can be used', () => redis.health().state === 'up');
  return { outbox, failures, redis, end: () => redis.close() };
}

function createRedisPlace(t: Test): Place {
  places += 1;
  const prefix = `test-${places}`;
  return { graceMs: GRACE_MS, open: () => openRedis(t, prefix, GRACE_MS) };
}

function waiting(id: string, { target = 'soc', attempt = 0, dueAtMs = Date.now() } = {}): WaitingWebhook {
  return { target, id, body: `{"é": "${id}"}`, seal: `v1,${id}`, attempt, dueAtMs };
}

/** All that can be claimed by and by. */
async function claimAll(outbox: WebhookOutbox, count: number): Promise<readonly WaitingWebhook[]> {
  const found: WaitingWebhook[] = [];
  await until(`${count} are claimed`, async () => {
    found.push(...(await outbox.claim('soc', 10)));
    return found.length >= count;
  });
  return found.toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

for (const [id, create] of [
  ['file', createFilePlace],
  ['redis', createRedisPlace],
] as const) {
  t.test(`${id}: what waits is there for the next process, as it was kept last`, async (t) => {
    const place = create(t);
    const first = await place.open();
    const later = Date.now() + 50;
    first.outbox.put(waiting('a'));
    first.outbox.put(waiting('a', { attempt: 2, dueAtMs: later }));
    first.outbox.put(waiting('b'));
    first.outbox.put(waiting('c'));
    first.outbox.remove('soc', 'c');
    first.outbox.put(waiting('d', { target: 'other' }));
    t.strictSame(await first.outbox.claim('soc', 10), [], 'what this process has is not claimed again');
    await first.end();
    const second = await place.open();
    const found = await claimAll(second.outbox, 2);
    t.match(found, [waiting('a', { attempt: 2, dueAtMs: later }), { id: 'b', attempt: 0 }]);
    t.strictSame(await second.outbox.claim('soc', 10), [], 'once');
    for (const message of found) second.outbox.remove('soc', message.id);
    await second.end();
    const third = await place.open();
    t.match(await third.outbox.claim('other', 10), [{ id: 'd', target: 'other' }], 'each target has its own');
    t.strictSame(await third.outbox.claim('soc', 10), []);
    t.strictSame([...first.failures, ...second.failures, ...third.failures], []);
  });

  t.test(`${id}: no more are claimed than are asked for`, async (t) => {
    const place = create(t);
    const first = await place.open();
    for (const name of ['a', 'b', 'c']) first.outbox.put(waiting(name));
    await first.outbox.claim('soc', 1);
    await first.end();
    const { outbox } = await place.open();
    const found: WaitingWebhook[] = [];
    await until('all are claimed', async () => {
      const some = await outbox.claim('soc', 1);
      t.ok(some.length <= 1);
      found.push(...some);
      return found.length === 3;
    });
    t.strictSame(found.map((message) => message.id).toSorted(), ['a', 'b', 'c']);
  });
}

t.test('file: a target that is no longer configured is forgotten, and others cannot read it', async (t) => {
  const directory = createDirectory(t);
  const path = join(directory, 'webhooks.sqlite');
  const onFailed = () => {};
  const first = openFileOutbox({ path, targets: ['gone', 'soc'], onFailed });
  first.put(waiting('a', { target: 'gone' }));
  first.put(waiting('b'));
  t.equal(statSync(path).mode & 0o007, 0);
  t.throws(() => openFileOutbox({ path, targets: ['soc'], onFailed }), 'another process has it');
  first.close();
  openFileOutbox({ path, targets: ['soc'], onFailed }).close();
  const third = openFileOutbox({ path, targets: ['gone', 'soc'], onFailed });
  t.strictSame(await third.claim('gone', 10), []);
  t.match(await third.claim('soc', 10), [{ id: 'b' }]);
  third.close();
  writeFileSync(path, 'not a file of SQLite, but long enough to be taken for one'.repeat(100));
  t.throws(() => openFileOutbox({ path, targets: [], onFailed }));
});

t.test('file: a write that fails is told, and nothing is thrown', async (t) => {
  const failures: string[] = [];
  const onFailed = (code: string) => failures.push(code);
  const outbox = openFileOutbox({ path: join(createDirectory(t), 'x.sqlite'), targets: ['soc'], onFailed });
  outbox.close();
  outbox.put(waiting('a'));
  outbox.remove('soc', 'a');
  t.strictSame(await outbox.claim('soc', 1), []);
  t.equal(failures.length, 3);
});

t.test('redis: a message that its replica still has is not claimed by another', async (t) => {
  const one = await openRedis(t, 'test-held', 60_000);
  const other = await openRedis(t, 'test-held', 60_000);
  one.outbox.put(waiting('a', { dueAtMs: Date.now() - 120_000 }));
  one.outbox.put(waiting('b'));
  const { owners } = one.redis.keys.webhooks('soc');
  await until('both are kept', async () => (await one.redis.client.hlen(owners)) === 2);
  // As if a minute had passed.
  await one.redis.client.hset(owners, 'a', '0', 'b', '0');
  one.outbox.hold('soc', ['a', 'gone']);
  await until('one is held', async () => (await one.redis.client.hget(owners, 'a')) !== '0');
  t.match(await other.outbox.claim('soc', 10), [{ id: 'b' }]);
  t.equal(await one.redis.client.hexists(owners, 'gone'), 0, 'what is gone does not come back');
  t.ok((await one.redis.client.pttl(owners)) > 0, 'nothing is kept for ever');
});

t.test('redis: needs no rights but those that docs/redis.md gives', async (t) => {
  const [, rights = ''] = /^user riskgate on >password (.+)$/m.exec(readText('docs/redis.md')) ?? [];
  await server.command(`ACL SETUSER limited on >password ${rights}`);
  const url = server.url.replace('redis://', 'redis://limited:password@');
  const refused: string[] = [];
  const redis = createRedisHandle({
    target: toTarget({ url, keyPrefix: 'riskgate' }),
    name: 'test',
    budgetMs: 5_000,
    onEvent: (event) => {
      if (event.kind === 'command_refused') refused.push(event.code);
    },
  });
  t.teardown(() => redis.close());
  await until('Redis can be used', () => redis.health().state === 'up');
  const onFailed = (code: string) => refused.push(code);
  const outbox = createRedisOutbox({ redis, nowMs: () => Date.now(), graceMs: 0, onFailed });
  outbox.put(waiting('a', { dueAtMs: 0 }));
  outbox.hold('soc', ['a']);
  const [found] = await claimAll(outbox, 1);
  t.equal(found?.id, 'a');
  outbox.remove('soc', 'a');
  await until('it is gone', async () => (await redis.client.hlen(redis.keys.webhooks('soc').messages)) === 0);
  t.strictSame(refused, []);
});

t.test('redis: passes over what no replica wrote, and says what it cannot keep', async (t) => {
  const { outbox, failures, redis } = await openRedis(t, 'test-strange', 0);
  const { owners, messages } = redis.keys.webhooks('soc');
  await redis.client.hset(owners, 'a', '0', 'b', '0', 'c', '0');
  await redis.client.hset(messages, 'a', 'no JSON', 'b', '{"body": 1}');
  t.strictSame(await outbox.claim('soc', 10), []);
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, place) => [`full-${place}`, '0']));
  await redis.client.hset(owners, many);
  outbox.put(waiting('one-too-many'));
  await until('it is told', () => failures.length === 1);
  t.strictSame(failures, ['full']);
  await redis.close();
  outbox.put(waiting('without'));
  await until('it is told too', () => failures.length === 2);
  t.strictSame(await outbox.claim('soc', 10), []);
});
