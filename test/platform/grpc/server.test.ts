/**
 * The gRPC server against clients that no library makes: what a stranger's bytes may cost, and what a gateway
 * must never lose.
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { createGrpcServer } from '../../../src/platform/grpc/server.ts';
import { KEY, SAY, startEcho, toText, writeEchoProto } from '../../support/echo-grpc.ts';
import { connectRaw, toRawFrame } from '../../support/raw-grpc.ts';
import { until } from '../../support/test-app.ts';

const WATCH = '/grpc.health.v1.Health/Watch';
const CHECK = '/grpc.health.v1.Health/Check';
const STATUS = { ok: 0, invalid: 3, late: 4, exhausted: 8, unimplemented: 12, internal: 13, unavailable: 14 };
const REFUSED = toText('refused');
const OVERSIZED = toText('oversized');

t.test('answers a message with one', async (t) => {
  const { ask } = await startEcho(t);
  const { httpStatus, status, bytes, acceptEncoding } = await ask('hello');
  t.match(
    { httpStatus, status, acceptEncoding },
    { httpStatus: 200, status: STATUS.ok, acceptEncoding: 'identity' },
  );
  t.same(bytes, toRawFrame(toText('hello')));
});

t.test('refuses whoever brings no key without waiting for the message', async (t) => {
  const { port, parsed } = await startEcho(t);
  const call = connectRaw(t, port).call(SAY);
  const { status, bytes, resetCode } = await call.reply;
  t.match({ status, resetCode }, { status: STATUS.ok, resetCode: 0 });
  t.same(bytes, toRawFrame(REFUSED));
  t.same(parsed, []);
});

t.test('a key that is sent twice has two readings and is none', async (t) => {
  const { port } = await startEcho(t);
  const call = connectRaw(t, port).call(SAY, { 'x-key': ['right', 'right'] as unknown as string });
  t.same((await call.reply).bytes, toRawFrame(REFUSED));
});

t.test('takes nothing that is compressed, declared or not', async (t) => {
  const { port, parsed } = await startEcho(t);
  const client = connectRaw(t, port);
  const bomb = gzipSync(Buffer.alloc(4_000_000));
  const declared = client.call(SAY, { ...KEY, 'grpc-encoding': 'gzip' });
  const undeclared = client.call(SAY, KEY);
  undeclared.end(toRawFrame(bomb, { flag: 1 }));
  for (const { reply } of [declared, undeclared])
    t.match(await reply, { status: STATUS.unimplemented, acceptEncoding: 'identity' });
  t.same(parsed, []);
});

t.test('answers a message that is too large by its prefix alone', async (t) => {
  const { port, parsed } = await startEcho(t);
  const client = connectRaw(t, port);
  for (const length of [64 * 1024 + 1, 2 ** 32 - 1]) {
    const call = client.call(SAY, KEY);
    call.write(toRawFrame(Buffer.alloc(0), { length }));
    t.same((await call.reply).bytes, toRawFrame(OVERSIZED));
  }
  t.same(parsed, []);
});

t.test('reads the largest message, and one that comes byte by byte', async (t) => {
  const { port } = await startEcho(t);
  const client = connectRaw(t, port);
  const text = Buffer.alloc(64 * 1024 - 4, 'x');
  const largest = Buffer.concat([Buffer.from([0x0a, 0xfc, 0xff, 0x03]), text]);
  const whole = client.call(SAY, KEY);
  whole.end(toRawFrame(largest));
  t.same((await whole.reply).bytes, toRawFrame(largest));
  const pieces = client.call(SAY, KEY);
  for (const byte of toRawFrame(toText('piece'))) pieces.write(Buffer.from([byte]));
  pieces.end();
  t.same((await pieces.reply).bytes, toRawFrame(toText('piece')));
});

t.test('says what is wrong with a call', async (t) => {
  const { port } = await startEcho(t);
  const client = connectRaw(t, port);
  const end = (path: string, headers: Record<string, string>, body?: Buffer) => {
    const call = client.call(path, { ...KEY, ...headers });
    call.end(body);
    return call.reply;
  };
  const hello = toRawFrame(toText('hello'));
  t.match(await end('/test.Echo/Shout', {}, hello), { status: STATUS.unimplemented });
  t.match(await end('/constructor', {}, hello), { status: STATUS.unimplemented });
  t.match(await end(SAY, { 'grpc-timeout': '5x' }, hello), { status: STATUS.invalid });
  t.match(await end(SAY, { 'grpc-timeout': '99999999H' }, hello), { status: STATUS.ok });
  t.match(await end(SAY, {}), { status: STATUS.invalid }, 'no message');
  t.match(await end(SAY, {}, hello.subarray(0, 8)), { status: STATUS.invalid }, 'cut short');
  t.match(await end(SAY, {}, toRawFrame(Buffer.from([0xff]))), { status: STATUS.invalid }, 'no such message');
  t.match(
    await end(SAY, {}, Buffer.concat([hello, hello])),
    { status: STATUS.unimplemented },
    'two messages',
  );
  t.match(await end(SAY, { 'content-type': 'application/json' }), { httpStatus: 415, status: undefined });
  t.match(await end(SAY, { ':method': 'GET' }), { httpStatus: 415 });
});

t.test('what cannot be answered is an error without details', async (t) => {
  const { ask } = await startEcho(t);
  t.match(await ask('null'), { status: STATUS.unavailable });
  t.match(await ask('throw'), { status: STATUS.internal });
  t.match(await ask('misfit'), { status: STATUS.internal });
  t.match(await ask('hello'), { status: STATUS.ok });
});

t.test('ends a call whose message does not come', async (t) => {
  const { port, parsed } = await startEcho(t, { callMsMax: 50 });
  const call = connectRaw(t, port).call(SAY, KEY);
  call.write(toRawFrame(toText('hello')).subarray(0, 6));
  t.match(await call.reply, { status: STATUS.late });
  t.same(parsed, []);
});

t.test('ends a call whose answer is not taken', async (t) => {
  const { port } = await startEcho(t, { callMsMax: 50 });
  const call = connectRaw(t, port, { settings: { initialWindowSize: 0 } }).call(SAY, KEY);
  call.end(toRawFrame(toText('hello')));
  t.match(await call.reply, { status: undefined, resetCode: 8 });
});

t.test('keeps the deadline of a call', async (t) => {
  const { port } = await startEcho(t);
  const call = connectRaw(t, port).call(SAY, { ...KEY, 'grpc-timeout': '50m' });
  call.end(toRawFrame(toText('hold')));
  t.match(await call.reply, { status: STATUS.late });
});

t.test('ends connections that ask nothing, and gateways later than strangers', async (t) => {
  const { port } = await startEcho(t, { bounds: { strangerIdleMs: 1, idleMs: 600_000 } });
  const gateway = connectRaw(t, port);
  const call = gateway.call(SAY, KEY);
  call.end(toRawFrame(toText('hello')));
  await call.reply;
  const silent = connect(port, '127.0.0.1');
  silent.on('error', () => {});
  const silentGone = new Promise((resolve) => silent.once('close', resolve).resume());
  const stranger = connectRaw(t, port);
  await Promise.all([stranger.closed, silentGone]);
  t.equal(gateway.session.closed, false);
  t.equal(stranger.goawayCode(), 0, 'without blame');
});

t.test('replaces an old connection without losing a call', async (t) => {
  const { port, parsed, release } = await startEcho(t, { bounds: { ageMs: 1 } });
  const client = connectRaw(t, port);
  const call = client.call(SAY, KEY);
  call.end(toRawFrame(toText('hold')));
  await until('it is told to go', () => client.goawayCode() !== null);
  t.same(parsed, ['hold']);
  release();
  t.same((await call.reply).bytes, toRawFrame(toText('held')));
  await client.closed;
});

t.test('makes room for a connection by ending the oldest of a stranger, never of a gateway', async (t) => {
  const { port, troubles } = await startEcho(t, { bounds: { connectionsMax: 2 } });
  const gateway = connectRaw(t, port);
  const call = gateway.call(SAY, KEY);
  call.end(toRawFrame(toText('hello')));
  await call.reply;
  const first = connectRaw(t, port);
  await new Promise((resolve) => first.session.ping(resolve));
  const second = connectRaw(t, port);
  await first.closed;
  const proven = second.call(SAY, KEY);
  proven.end(toRawFrame(toText('hello')));
  t.match(await proven.reply, { status: STATUS.ok });
  await connectRaw(t, port).closed;
  t.same(troubles, ['evicted', 'refused']);
  t.same([gateway.session.closed, second.session.closed], [false, false]);
});

t.test('ends a connection that floods it with PING or SETTINGS', async (t) => {
  const { port, troubles, ask } = await startEcho(t, { bounds: { controlFramesMax: 20 } });
  const pings = connectRaw(t, port, { maxOutstandingPings: 100 });
  await new Promise((resolve) => pings.session.once('connect', resolve));
  for (let count = 0; count < 100; count += 1) pings.session.ping(() => {});
  await pings.closed;
  t.equal(pings.goawayCode(), 11);
  const settings = connect(port, '127.0.0.1');
  settings.on('error', () => {});
  settings.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  for (let count = 0; count < 100; count += 1) settings.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await new Promise((resolve) => settings.once('close', resolve).resume());
  t.same(troubles, ['flooding', 'flooding']);
  t.match(await ask('hello'), { status: STATUS.ok });
});

t.test('ends a connection that opens streams and resets them at once', async (t) => {
  const { port, ask } = await startEcho(t);
  const client = connectRaw(t, port);
  await new Promise((resolve) => client.session.once('connect', resolve));
  const flood = setInterval(() => {
    for (let count = 0; count < 200 && !client.session.closed && !client.session.destroyed; count += 1)
      client.call(SAY, KEY).reset();
  }, 1);
  await client.closed;
  clearInterval(flood);
  t.match(await ask('hello'), { status: STATUS.ok });
});

t.test('ends a connection whose header block does not end', async (t) => {
  const { port, ask } = await startEcho(t);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  // HEADERS of stream 1 without END_HEADERS, then CONTINUATION without end, each with one field of the static
  // table.
  socket.write(Buffer.from([0, 0, 1, 1, 0, 0, 0, 0, 1, 0x83]));
  for (let count = 0; count < 1_000; count += 1) socket.write(Buffer.from([0, 0, 1, 9, 0, 0, 0, 0, 1, 0x84]));
  await new Promise((resolve) => socket.once('close', resolve).resume());
  t.match(await ask('hello'), { status: STATUS.ok });
});

t.test('bounds the metadata of a call, above what an end user can make Envoy send', async (t) => {
  const { port } = await startEcho(t);
  const client = connectRaw(t, port);
  const long = client.call(SAY, { ...KEY, tracestate: 'x'.repeat(60_000) });
  long.end(toRawFrame(toText('hello')));
  t.match(await long.reply, { status: STATUS.ok });
  const fields = Object.fromEntries(Array.from({ length: 64 }, (_, place) => [`x-${place}`, 'x']));
  const many = client.call(SAY, { ...KEY, ...fields });
  many.end();
  t.match(await many.reply, { status: undefined, resetCode: 11 });
});

t.test('ends a connection that does not answer a PING', async (t) => {
  const { port, troubles } = await startEcho(t, { bounds: { pingMs: 1 } });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  await new Promise((resolve) => socket.once('close', resolve).resume());
  t.same(troubles, ['unanswered']);
});

t.test('whoever keeps watches open keeps nobody out', async (t) => {
  const { port } = await startEcho(t);
  const client = connectRaw(t, port);
  const watches = Array.from({ length: 128 }, () => {
    const watch = client.call(WATCH);
    watch.end(toRawFrame(Buffer.alloc(0)));
    return watch;
  });
  await Promise.all(watches.map(({ began }) => began));
  const silent = Array.from({ length: 128 }, () => client.call(CHECK));
  const one = connectRaw(t, port).call(WATCH);
  one.end(toRawFrame(Buffer.alloc(0)));
  await one.began;
  t.match(await watches[0]?.reply, { status: STATUS.exhausted });
  const check = client.call(CHECK);
  check.end(toRawFrame(Buffer.alloc(0)));
  t.match(await check.reply, { status: STATUS.ok });
  t.match(await silent[0]?.reply, { status: STATUS.exhausted });
});

t.test('finishes the calls under way before it closes, and ends the watches', async (t) => {
  const { server, port, parsed, release } = await startEcho(t);
  const client = connectRaw(t, port);
  const watch = client.call(WATCH);
  watch.end(toRawFrame(Buffer.alloc(0)));
  const call = client.call(SAY, KEY);
  call.end(toRawFrame(toText('hold')));
  await until('it is under way', () => parsed.length > 0);
  const closing = server.close(60_000);
  t.match(await watch.reply, { status: STATUS.unavailable });
  release();
  t.same((await call.reply).bytes, toRawFrame(toText('held')));
  await closing;
  await client.closed;
});

t.test('answers the calls on connections that wait to be accepted when it closes', async (t) => {
  const { server, port } = await startEcho(t);
  const calls = Array.from({ length: 20 }, () => connectRaw(t, port).call(SAY, KEY));
  for (const call of calls) call.end(toRawFrame(toText('late')));
  // Node opens them at the end of this tick.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await server.close(60_000);
  for (const { reply } of calls)
    t.match(await reply, { status: STATUS.ok, bytes: toRawFrame(toText('late')) });
});

t.test('closes in time over a call that does not end', async (t) => {
  const { server, port, parsed } = await startEcho(t);
  const client = connectRaw(t, port);
  client.call(SAY, KEY).end(toRawFrame(toText('hold')));
  await until('it is under way', () => parsed.length > 0);
  await server.close(1);
  await client.closed;
});

t.test('refuses a definition without the method, and an address that is taken', async (t) => {
  const { port } = await startEcho(t);
  const protoFile = writeEchoProto(t);
  const options = { protoFile, messageBytesMax: 1, isServing: () => true, onTrouble: () => {} };
  const method = { refuse: () => null, answerOversized: () => null, answer: () => null };
  t.throws(() => createGrpcServer({ ...options, service: 'test.Echo', methods: { Shout: method } }), /Shout/);
  const other = createGrpcServer({ ...options, service: 'test.Echo', methods: { Say: method } });
  await t.rejects(other.listen('127.0.0.1', port), { code: 'EADDRINUSE' });
  await other.close(0);
});
