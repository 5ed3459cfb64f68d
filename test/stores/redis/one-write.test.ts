import { Writable } from 'node:stream';
import type { Redis } from 'ioredis';
import t from 'tap';
import { inOneWrite } from '../../../src/stores/redis/one-write.ts';

/** A connection as far as its socket goes, and what was written to that. */
function createLink() {
  const writes: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      writes.push(String(chunk));
      done();
    },
    writev: (chunks, done) => {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  return { link: { stream } as unknown as Redis, stream, writes };
}

t.test('writes what is sent to each connection at once, in its order', (t) => {
  const [one, other] = [createLink(), createLink()];
  inOneWrite([one.link, other.link], () => {
    one.stream.write('a');
    other.stream.write('b');
    one.stream.write('c');
  });
  t.same([one.writes, other.writes], [['ac'], ['b']]);
  one.stream.write('d');
  t.same(one.writes, ['ac', 'd'], 'and holds nothing back afterwards');
  t.end();
});

t.test('holds nothing back where sending fails', (t) => {
  const { link, stream, writes } = createLink();
  const fail = () => {
    stream.write('a');
    throw new RangeError('a defect');
  };
  t.throws(() => inOneWrite([link], fail), { message: 'a defect' });
  stream.write('b');
  t.same(writes, ['a', 'b']);
  t.end();
});

t.test('sends over a connection that has no socket yet', (t) => {
  let isSent = false;
  inOneWrite([{} as unknown as Redis], () => {
    isSent = true;
  });
  t.ok(isSent);
  t.end();
});
