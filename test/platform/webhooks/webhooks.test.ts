import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { createHttpClient } from '../../../src/platform/http-client.ts';
import { isPublicAddress } from '../../../src/platform/webhooks/public-address.ts';
import { parseWebhookSecret } from '../../../src/platform/webhooks/sign-webhook.ts';
import type { WaitingWebhook, WebhookOutbox } from '../../../src/platform/webhooks/webhook-outbox.ts';
import { createWebhookSender, type WebhookEvent } from '../../../src/platform/webhooks/webhook-sender.ts';
import { portOf, until } from '../../support/test-app.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

interface Received {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A receiver that answers with the next of these, and 204 after them. */
async function startReceiver(t: Test, answers: { status: number; headers?: Record<string, string> }[] = []) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      received.push({ path: request.url ?? '', body, headers: request.headers as Record<string, string> });
      const { status, headers = {} } = answers.shift() ?? { status: 204 };
      response.writeHead(status, headers).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${portOf(server.address())}`, received };
}

interface SenderOptions {
  readonly types?: readonly string[];
  readonly waitsMs?: readonly number[];
  readonly isAddressAllowed?: (address: string) => boolean;
  readonly outbox?: WebhookOutbox;
  readonly lookIntervalMs?: number;
}

function openSender(
  t: Test,
  origin: string,
  { types, waitsMs = [1, 1, 1], isAddressAllowed, ...kept }: SenderOptions = {},
) {
  const client = createHttpClient({ baseUrl: origin, ...(isAddressAllowed && { isAddressAllowed }) });
  const events: WebhookEvent[] = [];
  let ids = 0;
  const sender = createWebhookSender({
    targets: [
      {
        name: 'soc',
        url: new URL(`${origin}/hook?a=b`),
        key: parseWebhookSecret(SECRET) ?? Buffer.alloc(0),
        types: types ?? null,
        client,
      },
    ],
    nowMs: () => Date.now(),
    newId: () => {
      ids += 1;
      return String(ids);
    },
    random: () => 0,
    waitsMs,
    ...kept,
    onEvent: (event) => void events.push(event),
  });
  t.teardown(async () => {
    sender.close();
    await client.close();
  });
  const results = () => events.map(({ result, why }) => (why === null ? result : `${result} ${why}`));
  return { sender, events, results };
}

t.test('a message is signed as the reference library verifies it', async (t) => {
  const { origin, received } = await startReceiver(t);
  const { sender, results } = openSender(t, origin);
  sender.send({ type: 'decision.superseded', data: { cause: 'é' } });
  await until('it is delivered', () => results().length === 1);
  const [{ path, body, headers } = { path: '', body: '', headers: {} }] = received;
  t.equal(path, '/hook?a=b');
  const told = new Webhook(SECRET).verify(body, headers) as { readonly timestamp: string };
  t.match(told, { type: 'decision.superseded', data: { cause: 'é' } });
  t.match(told.timestamp, /^\d{4}-\d{2}-\d{2}T.*Z$/);
  t.equal(headers['webhook-id'], 'msg_1');
  t.throws(() => new Webhook(SECRET).verify(`${body} `, headers), 'a changed body');
  t.throws(() => new Webhook(`whsec_${randomBytes(32).toString('base64')}`).verify(body, headers));
  t.same(results(), ['delivered']);
});

t.test('a failed attempt is repeated with the same id, until one succeeds', async (t) => {
  const { origin, received } = await startReceiver(t, [
    { status: 500 },
    { status: 429, headers: { 'retry-after': '0' } },
  ]);
  const { sender, results } = openSender(t, origin);
  sender.send({ type: 'a', data: {} });
  await until('it is delivered', () => results().includes('delivered'));
  t.same(results(), ['retried 500', 'retried 429', 'delivered']);
  t.same(new Set(received.map(({ headers }) => headers['webhook-id'])), new Set(['msg_1']));
  for (const { body, headers } of received) t.ok(new Webhook(SECRET).verify(body, headers));
});

t.test('after the last attempt, and where the receiver is gone, it is given up', async (t) => {
  const { origin, received } = await startReceiver(t, [{ status: 500 }, { status: 500 }, { status: 410 }]);
  const { sender, results } = openSender(t, origin, { waitsMs: [1] });
  sender.send({ type: 'a', data: {} });
  await until('it is given up', () => results().length === 2);
  sender.send({ type: 'a', data: {} });
  await until('the other too', () => results().length === 3);
  t.same(results(), ['retried 500', 'given_up 500', 'given_up 410']);
  t.same(sender.usage(), [{ target: 'soc', delivered: 0, retried: 1, given_up: 2, dropped: 0, waiting: 0 }]);
  t.equal(received.length, 3);
});

/** An outbox that survives senders, as one in Redis survives replicas. */
function createOutbox() {
  const kept = new Map<string, WaitingWebhook>();
  const claimed = new Set<string>();
  const held: string[] = [];
  const outbox: WebhookOutbox = {
    put: (message) => {
      kept.set(message.id, message);
      claimed.add(message.id);
    },
    hold: (_target, ids) => void held.push(...ids),
    remove: (_target, id) => void kept.delete(id),
    claim: async (target, count) => {
      const free = [...kept.values()].filter((one) => one.target === target && !claimed.has(one.id));
      for (const { id } of free.slice(0, count)) claimed.add(id);
      return free.slice(0, count);
    },
  };
  return { outbox, kept, held, end: () => claimed.clear() };
}

t.test('what waits when a process ends is sent by the next one, with its id and its attempts', async (t) => {
  const { origin, received } = await startReceiver(t, [{ status: 500 }, { status: 500 }]);
  const { outbox, kept, end } = createOutbox();
  const first = openSender(t, origin, { waitsMs: [200, 1, 1], outbox });
  first.sender.send({ type: 'a', data: { number: 1 } });
  await until('an attempt has failed', () => first.results().length === 1);
  t.match([...kept.values()], [{ id: 'msg_1', target: 'soc', attempt: 1 }]);
  first.sender.close();
  end();
  const second = openSender(t, origin, { waitsMs: [200, 1, 1], outbox });
  await until('it is delivered', () => second.results().includes('delivered'));
  t.same(second.results(), ['retried 500', 'delivered']);
  t.equal(second.events.at(-1)?.attempt, 3);
  t.same(new Set(received.map(({ headers }) => headers['webhook-id'])), new Set(['msg_1']));
  t.equal(kept.size, 0, 'what is delivered is not kept');
});

t.test('what waits here is held, so that no other process takes it', async (t) => {
  // It takes what is sent, and never answers.
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { outbox, held } = createOutbox();
  const options = { outbox, lookIntervalMs: 20 };
  const { sender } = openSender(t, `http://127.0.0.1:${portOf(server.address())}`, options);
  for (let count = 0; count < 6; count += 1) sender.send({ type: 'a', data: {} });
  await until('two are held', () => held.length >= 2);
  t.same(new Set(held), new Set(['msg_5', 'msg_6']));
});

t.test('what another process left is looked for, and what others wrote is not signed', async (t) => {
  const { origin, received } = await startReceiver(t, [{ status: 500 }]);
  const { outbox, kept, end } = createOutbox();
  const first = openSender(t, origin, { waitsMs: [60_000], outbox });
  first.sender.send({ type: 'a', data: { number: 1 } });
  await until('an attempt has failed', () => first.results().length === 1);
  first.sender.close();
  const { sender, results } = openSender(t, origin, { outbox, lookIntervalMs: 20 });
  const [left] = kept.values();
  if (left === undefined) throw new Error('nothing is kept');
  outbox.put({ ...left, dueAtMs: 0 });
  // Who can write to the outbox has no key of the target.
  outbox.put({ ...left, id: 'msg_forged', dueAtMs: 0 });
  outbox.put({ ...left, id: 'msg_other', body: '{"type":"a","data":{"number":2}}', dueAtMs: 0 });
  end();
  await until('it is delivered', () => results().length === 1);
  sender.send({ type: 'a', data: {} });
  await until('so is the next', () => results().length === 2);
  const ids = received.map(({ headers }) => headers['webhook-id']);
  t.same(ids, ['msg_1', 'msg_1', 'msg_1'], 'both senders of this test number from 1');
  for (const { body, headers } of received) t.ok(new Webhook(SECRET).verify(body, headers));
  t.notMatch(JSON.stringify(received), /forged|other|number":2/);
});

t.test('what is given up is not kept, and a message that is dropped never is', async (t) => {
  const { origin } = await startReceiver(t, Array(1_005).fill({ status: 410 }));
  const { outbox, kept } = createOutbox();
  const { sender, results } = openSender(t, origin, { waitsMs: [], outbox });
  for (let count = 0; count < 1_005; count += 1) sender.send({ type: 'a', data: {} });
  t.equal(kept.size, 1_004, 'four are under way, and a thousand wait');
  await until('all are told', () => results().length === 1_005);
  t.equal(kept.size, 0);
});

t.test('a redirect is a failure, and is not followed', async (t) => {
  const elsewhere = await startReceiver(t);
  const { origin } = await startReceiver(t, [
    { status: 307, headers: { location: `${elsewhere.origin}/x` } },
  ]);
  const { sender, results } = openSender(t, origin, { waitsMs: [] });
  sender.send({ type: 'a', data: {} });
  await until('it is given up', () => results().length === 1);
  t.same(results(), ['given_up 307']);
  t.equal(elsewhere.received.length, 0);
});

t.test('a target gets the types that it wants', async (t) => {
  const { origin, received } = await startReceiver(t);
  const { sender, results } = openSender(t, origin, { types: ['b'] });
  for (const type of ['a', 'b', 'c']) sender.send({ type, data: {} });
  await until('one is delivered', () => results().length === 1);
  t.equal(received.length, 1);
  t.match(received[0]?.body, /"type":"b"/);
});

t.test('no more wait than the bound, and a target that fails holds up no other message', async (t) => {
  const { origin } = await startReceiver(t, Array(4).fill({ status: 500 }));
  const { sender, results } = openSender(t, origin, { waitsMs: [3_600_000] });
  for (let count = 0; count < 1_010; count += 1) sender.send({ type: 'a', data: {} });
  await until('all are told', () => results().length === 1_010);
  t.equal(results().filter((result) => result === 'retried 500').length, 4);
  t.equal(results().filter((result) => result === 'dropped').length, 6);
  t.equal(results().filter((result) => result === 'delivered').length, 1_000);
  t.same(sender.usage(), [
    { target: 'soc', delivered: 1_000, retried: 4, given_up: 0, dropped: 6, waiting: 4 },
  ]);
});

t.test('an address that is not allowed is not connected to, by its number or by a name', async (t) => {
  const { origin, received } = await startReceiver(t);
  for (const target of [origin, origin.replace('127.0.0.1', 'localhost')]) {
    const { sender, results } = openSender(t, target, { waitsMs: [], isAddressAllowed: isPublicAddress });
    sender.send({ type: 'a', data: {} });
    await until('it is given up', () => results().length === 1);
    t.same(results(), ['given_up ADDRESS_NOT_ALLOWED'], target);
  }
  t.equal(received.length, 0);
});

t.test('an address is public or it is not', async (t) => {
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])
    t.equal(isPublicAddress(address), true, address);
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '203.0.113.9',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '::ffff:127.0.0.1',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    'nonsense',
    '',
  ])
    t.equal(isPublicAddress(address), false, address);
});

t.test('a secret is Base64 of 24 to 64 bytes behind whsec_', async (t) => {
  t.equal(parseWebhookSecret(SECRET)?.length, 32);
  for (const text of [
    '',
    'whsec_',
    SECRET.slice(6),
    `whsec_${randomBytes(23).toString('base64')}`,
    'whsec_%%%%',
    `whsec_${randomBytes(65).toString('base64')}`,
  ])
    t.equal(parseWebhookSecret(text), null, text);
});
