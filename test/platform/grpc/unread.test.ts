/** Clients that do not take what they are answered: nothing may wait for them for long, or be much. */
import { EventEmitter } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import t from 'tap';
import { boundRefusals } from '../../../src/platform/grpc/refusals.ts';
import { SAY, startEcho, toText } from '../../support/echo-grpc.ts';
import { connectRaw, toRawFrame } from '../../support/raw-grpc.ts';

const REFLECT = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const WATCH = '/grpc.health.v1.Health/Watch';
const RESET = { cancel: 8, calm: 11 };
const UNAVAILABLE = 14;
/** Takes no byte of any body. */
const DEAF = { settings: { initialWindowSize: 0 } };
/** So long that only the bound under test ends a call. */
const LONG = { callMsMax: 600_000 };

/** Field 4, file_containing_symbol. */
function toQuestion(symbol: string): Buffer {
  const bytes = Buffer.from(symbol);
  return toRawFrame(Buffer.concat([Buffer.from([0x22, bytes.length]), bytes]));
}

t.test('a call that makes room for another is dropped with what it has not read', async (t) => {
  const { port } = await startEcho(t, LONG);
  const client = connectRaw(t, port, DEAF);
  const calls = Array.from({ length: 32 }, () => {
    const call = client.call(REFLECT);
    call.write(toQuestion('test.Echo'));
    return call;
  });
  await Promise.all(calls.map(({ headed }) => headed));
  client.call(REFLECT);
  t.match(await calls[0]?.reply, { status: undefined, resetCode: RESET.calm });
});

t.test('a call that makes room is dropped even when it has ended', async (t) => {
  const { port } = await startEcho(t, LONG);
  const client = connectRaw(t, port, DEAF);
  const calls = Array.from({ length: 32 }, () => {
    const call = client.call(REFLECT);
    call.end(toQuestion('test.Echo'));
    return call;
  });
  await Promise.all(calls.map(({ headed }) => headed));
  client.call(REFLECT);
  t.match(await calls[0]?.reply, { status: undefined, resetCode: RESET.calm });
});

t.test('ends a call that asks on and does not read the answers', async (t) => {
  const { port } = await startEcho(t, LONG);
  const call = connectRaw(t, port, DEAF).call(REFLECT);
  // Its first five answers, of some 16 KiB each with what was asked, are all that is held.
  const question = toQuestion('grpc.reflection.v1.ServerReflection');
  for (let count = 0; count < 199; count += 1) call.write(question);
  t.match(await call.reply, { status: undefined, resetCode: RESET.calm });
});

t.test('answers all the questions of a client that reads', async (t) => {
  const { port } = await startEcho(t, LONG);
  const call = connectRaw(t, port).call(REFLECT);
  call.end(toQuestion('test.Echo'));
  t.match(await call.reply, { status: 0 });
});

t.test('drops the refusal that a stranger does not take', async (t) => {
  const { port } = await startEcho(t, LONG);
  const call = connectRaw(t, port, DEAF).call(SAY);
  t.match(await call.reply, { status: undefined, resetCode: RESET.cancel });
});

t.test('ends the connection of a stranger that leaves many refusals', async (t) => {
  const { port, troubles, ask } = await startEcho(t, LONG);
  const client = connectRaw(t, port, DEAF);
  for (let count = 0; count < 40; count += 1) client.call(SAY);
  await client.closed;
  t.same(troubles, ['unanswered']);
  t.match(await ask('hello'), { status: 0 });
});

t.test('refuses many calls at once on one connection that takes the answers', async (t) => {
  const { port, troubles } = await startEcho(t, LONG);
  const client = connectRaw(t, port);
  const calls = Array.from({ length: 200 }, () => {
    const call = client.call(SAY);
    call.end(toRawFrame(toText('hello')));
    return call.reply;
  });
  for (const reply of await Promise.all(calls))
    t.same(reply.bytes, toRawFrame(toText('refused')), { diagnostic: false });
  t.same(troubles, []);
});

t.test('keeps few refusals that are not taken: the oldest makes room', (t) => {
  const bound = boundRefusals(2);
  const dropped: number[] = [];
  const streams = [0, 1, 2, 3].map((place) => {
    const stream = Object.assign(new EventEmitter(), { close: () => {}, destroy: () => {} });
    bound(stream as unknown as ServerHttp2Stream, () => dropped.push(place));
    if (place === 1) stream.emit('close');
    return stream;
  });
  t.same(dropped, [0], 'one that was taken is no longer counted');
  for (const stream of streams) stream.emit('close');
  t.end();
});

t.test('closes the socket of a flood that has said goodbye', async (t) => {
  const { port, troubles } = await startEcho(t, { bounds: { controlFramesMax: 20 } });
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve).resume());
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  socket.write(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  socket.write(settings);
  // A call that stays open, and GOAWAY with NO_ERROR.
  socket.write(Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
  for (let count = 0; count < 100; count += 1) socket.write(settings);
  // A socket that is closed at the other end answers these with a reset.
  const writes = setInterval(() => socket.write(settings), 50);
  await closed;
  clearInterval(writes);
  t.same(troubles, ['flooding']);
});

t.test('a watch that begins while the server closes is ended too', async (t) => {
  const { server, port } = await startEcho(t);
  const client = connectRaw(t, port);
  const late = client.call(WATCH);
  late.write(toRawFrame(Buffer.alloc(0)).subarray(0, 2));
  const early = client.call(WATCH);
  early.end(toRawFrame(Buffer.alloc(0)));
  await early.began;
  const closing = server.close(600_000);
  t.match(await early.reply, { status: UNAVAILABLE });
  late.end(toRawFrame(Buffer.alloc(0)).subarray(2));
  t.match(await late.reply, { status: UNAVAILABLE });
  await closing;
});

t.test('a watch that is not read does not hold up the end of the server', async (t) => {
  const { server, port } = await startEcho(t);
  const client = connectRaw(t, port, DEAF);
  const watch = client.call(WATCH);
  watch.end(toRawFrame(Buffer.alloc(0)));
  await watch.headed;
  await server.close(600_000);
  t.match(await watch.reply, { status: undefined, resetCode: RESET.cancel });
});
