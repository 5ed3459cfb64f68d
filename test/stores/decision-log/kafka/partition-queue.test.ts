import t from 'tap';
import { PartitionQueue, toNextSequence } from '../../../../src/stores/decision-log/kafka/partition-queue.ts';

const IDENTITY = { id: 7n, epoch: 0 };
const LAST_SEQUENCE = 2 ** 31 - 1;

function messageOf(text: string) {
  return { message: { topic: 'test', value: Buffer.from(text) } };
}

function createQueue(...texts: readonly string[]): PartitionQueue {
  const queue = new PartitionQueue(3);
  queue.identify(IDENTITY);
  queue.add(texts.map(messageOf));
  return queue;
}

function textsOf(queue: PartitionQueue): readonly string[] | undefined {
  return queue.next()?.messages.map(({ value }) => String(value));
}

t.test('gives the same messages the same numbers until their fate is known', async (t) => {
  const queue = createQueue('one', 'two');
  queue.add([messageOf('three')]);
  t.strictSame(queue.next(), queue.next());
  t.match(queue.next(), { partition: 3, sequence: 0 });
  for (const code of ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS', 'NOT_LEADER_OR_FOLLOWER', 'NO_ANSWER']) {
    t.strictSame(queue.settle(code), { result: 'open', refused: 0 });
    t.strictSame(textsOf(queue), ['one', 'two'], code);
    t.equal(queue.next()?.sequence, 0, code);
  }
  t.strictSame(queue.settle('NONE'), { result: 'kept', refused: 0 });
  t.match(queue.next(), { sequence: 2 });
  t.strictSame(textsOf(queue), ['three']);
});

t.test('takes messages for kept that the broker has had before', async (t) => {
  const queue = createQueue('one');
  t.strictSame(queue.settle('DUPLICATE_SEQUENCE_NUMBER'), { result: 'kept', refused: 0 });
  t.equal(queue.isEmpty, true);
  t.equal(queue.next(), undefined);
});

t.test('begins at 0 under another identity, and sends the same messages', async (t) => {
  const queue = createQueue('one');
  queue.settle('NONE');
  queue.add([messageOf('two')]);
  for (const code of ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH']) {
    t.strictSame(queue.settle(code), { result: 'forgotten', refused: 0 });
    t.equal(queue.identity, null);
    queue.identify({ id: 8n, epoch: 0 });
    t.equal(queue.next()?.sequence, 0);
    t.strictSame(textsOf(queue), ['two']);
  }
});

t.test('goes on at 0 after the last number of 31 bits', async (t) => {
  t.equal(toNextSequence(LAST_SEQUENCE - 3, 3), LAST_SEQUENCE);
  t.equal(toNextSequence(LAST_SEQUENCE, 1), 0);
  t.equal(toNextSequence(LAST_SEQUENCE - 1, 3), 1);
});

t.test('finds the one that is refused by halves, and numbers the others on', async (t) => {
  const queue = createQueue('one', 'two', 'bad', 'four', 'five');
  const kept: (readonly [number, string])[] = [];
  let refused = 0;
  while (!queue.isEmpty) {
    const { sequence = -1 } = queue.next() ?? {};
    const texts = textsOf(queue) ?? [];
    const isBad = texts.includes('bad');
    if (!isBad) kept.push(...texts.map((text, place) => [sequence + place, text] as const));
    refused += queue.settle(isBad ? 'MESSAGE_TOO_LARGE' : 'NONE').refused;
  }
  t.equal(refused, 1);
  t.strictSame(kept, [
    [0, 'one'],
    [1, 'two'],
    [2, 'four'],
    [3, 'five'],
  ]);
});

t.test('writes a substitute in the place of what is refused, once', async (t) => {
  const queue = new PartitionQueue(0);
  queue.identify(IDENTITY);
  queue.add([{ ...messageOf('bad'), substitute: () => messageOf('gap').message }]);
  t.strictSame(queue.settle('INVALID_RECORD'), { result: 'refused', refused: 1 });
  t.strictSame(textsOf(queue), ['gap']);
  t.strictSame(queue.settle('INVALID_RECORD'), { result: 'refused', refused: 1 });
  t.equal(queue.isEmpty, true);
});

t.test('sends a quarter of what brokers take at once, and one message whatever its length', async (t) => {
  const long = 'x'.repeat(200_000);
  const queue = createQueue(long, 'a', long, 'x'.repeat(600_000), 'b');
  const lengths: number[] = [];
  while (!queue.isEmpty) {
    lengths.push(queue.next()?.messages.length ?? 0);
    queue.settle('NONE');
  }
  t.strictSame(lengths, [2, 1, 1, 1]);
  t.throws(() => queue.settle('NONE'), RangeError);
});
