import t, { type Test } from 'tap';
import type {
  KafkaCluster,
  Leader,
  ProducerIdentity,
  Slice,
} from '../../../../src/stores/decision-log/kafka/kafka-cluster.ts';
import { TopicWriter } from '../../../../src/stores/decision-log/kafka/topic-writer.ts';

/** What was written, in its order. */
interface Write {
  readonly node: number;
  readonly producer: bigint;
  readonly slices: readonly {
    readonly partition: number;
    readonly sequence: number;
    readonly texts: readonly string[];
  }[];
}

type Answer = (write: Write) => ReadonlyMap<number, string>;

const PATIENT_MS = 60_000;
const NODES: readonly Leader[] = [1, 2].map((node) => ({ node, host: 'none', port: node }));

/** A cluster of two nodes that lead partitions in turn, and answers as it is told. */
class TestCluster implements KafkaCluster {
  readonly writes: Write[] = [];
  answer: Answer = allKept;
  leaders: readonly (Leader | null)[];
  reads = 0;
  identities = 0n;

  constructor(partitions: number) {
    this.leaders = Array.from({ length: partitions }, (_, place) => NODES[place % 2] ?? null);
  }

  async readTopic(): Promise<readonly (Leader | null)[]> {
    this.reads += 1;
    return this.leaders;
  }

  async createIdentity(): Promise<ProducerIdentity> {
    this.identities += 1n;
    return { id: this.identities, epoch: 0 };
  }

  async write({ node }: Leader, { id }: ProducerIdentity, slices: readonly Slice[]) {
    const write = {
      node,
      producer: id,
      slices: slices.map(({ partition, sequence, messages }) => ({
        partition,
        sequence,
        texts: messages.map(({ value }) => String(value)),
      })),
    };
    this.writes.push(write);
    return this.answer(write);
  }
}

function allKept({ slices }: Write): ReadonlyMap<number, string> {
  return new Map(slices.map(({ partition }) => [partition, 'NONE']));
}

/** Messages without keys, which go to one partition after the other. */
function batchOf(name: string, ...texts: readonly string[]) {
  return { name, messages: texts.map((text) => ({ message: { topic: 'test', value: Buffer.from(text) } })) };
}

function createWriter(t: Test, cluster: KafkaCluster): TopicWriter {
  const writer = new TopicWriter(cluster);
  t.teardown(() => writer.close());
  return writer;
}

t.test('sends again what was not answered, under its number, and nothing else', async (t) => {
  const cluster = new TestCluster(2);
  const writer = createWriter(t, cluster);
  let lost = 0;
  cluster.answer = (write) => {
    if (write.node === 2 || lost > 0) return allKept(write);
    lost += 1;
    throw Object.assign(new Error('lost'), { code: 'ECONNRESET' });
  };
  const result = await writer.append(batchOf('1', 'a', 'b', 'c'), PATIENT_MS);
  t.strictSame(result, { isKept: true, refused: 0, code: 'ECONNRESET' });
  const [first, second, third] = cluster.writes;
  t.equal(cluster.writes.length, 3);
  t.strictSame(
    third,
    [first, second].find((write) => write?.node === 1),
  );
  t.equal(cluster.identities, 1n);
  t.equal(cluster.reads, 2, 'who leads is asked for again');
});

t.test('gives another identity to the partition that has forgotten, and to no other', async (t) => {
  const cluster = new TestCluster(2);
  const writer = createWriter(t, cluster);
  await writer.append(batchOf('1', 'a', 'b'), PATIENT_MS);
  cluster.answer = ({ node, producer, slices }) =>
    new Map(
      slices.map(({ partition }) => [
        partition,
        node === 1 && producer === 1n ? 'UNKNOWN_PRODUCER_ID' : 'NONE',
      ]),
    );
  await writer.append(batchOf('2', 'c', 'd'), PATIENT_MS);
  await writer.append(batchOf('3', 'e', 'f'), PATIENT_MS);
  const latest = cluster.writes.slice(-2).toSorted((left, right) => left.node - right.node);
  t.match(latest, [
    { node: 1, producer: 2n, slices: [{ sequence: 1 }] },
    { node: 2, producer: 1n, slices: [{ sequence: 2 }] },
  ]);
});

t.test('waits for the batch under way before another, and keeps neither in vain', async (t) => {
  const cluster = new TestCluster(1);
  const writer = createWriter(t, cluster);
  cluster.answer = ({ slices }) => new Map(slices.map(({ partition }) => [partition, 'NOT_ENOUGH_REPLICAS']));
  const failed = { isKept: false, refused: 0, code: 'NOT_ENOUGH_REPLICAS' };
  t.strictSame(await writer.append(batchOf('1', 'a'), 20), failed);
  t.strictSame(await writer.append(batchOf('1', 'a'), 1), failed);
  t.strictSame(await writer.append(batchOf('2', 'b'), 1), failed);
  cluster.answer = allKept;
  t.match(await writer.append(batchOf('3', 'c'), PATIENT_MS), { isKept: true });
  t.match(await writer.append(batchOf('3', 'c'), PATIENT_MS), { isKept: true });
  const texts = cluster.writes.flatMap(({ slices }) => slices.flatMap((slice) => slice.texts));
  t.strictSame([...new Set(texts)], ['a', 'c']);
  t.equal(texts.filter((text) => text === 'c').length, 1);
  t.strictSame(cluster.writes.at(-1)?.slices, [{ partition: 0, sequence: 1, texts: ['c'] }]);
});

t.test('says TIMEOUT where nothing has gone wrong yet', async (t) => {
  const cluster = new TestCluster(1);
  const writer = createWriter(t, cluster);
  cluster.readTopic = () => new Promise(() => {});
  t.strictSame(await writer.append(batchOf('1', 'a'), 1), { isKept: false, refused: 0, code: 'TIMEOUT' });
});

t.test('asks the cluster for a batch of nothing', async (t) => {
  const cluster = new TestCluster(1);
  const writer = createWriter(t, cluster);
  for (const name of ['1', '2']) t.match(await writer.append(batchOf(name), PATIENT_MS), { isKept: true });
  t.equal(cluster.reads, 2);
  t.strictSame(cluster.writes, []);
});

t.test('waits for a partition that nobody leads', async (t) => {
  const cluster = new TestCluster(2);
  const writer = createWriter(t, cluster);
  const [first = null] = cluster.leaders;
  cluster.leaders = [first, null];
  const code = 'LEADER_NOT_AVAILABLE';
  t.match(await writer.append(batchOf('1', 'a', 'b'), 20), { isKept: false, code });
  cluster.leaders = [first, first];
  t.match(await writer.append(batchOf('1', 'a', 'b'), PATIENT_MS), { isKept: true });
  t.equal(cluster.writes.length, 2);
});

t.test('moves messages of partitions that are gone', async (t) => {
  const cluster = new TestCluster(2);
  const writer = createWriter(t, cluster);
  cluster.answer = ({ node, slices }) =>
    new Map(slices.map(({ partition }) => [partition, node === 2 ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NONE']));
  t.match(await writer.append(batchOf('1', 'a', 'b'), 20), { isKept: false });
  cluster.leaders = cluster.leaders.slice(0, 1);
  t.match(await writer.append(batchOf('1', 'a', 'b'), PATIENT_MS), { isKept: true });
  t.match(cluster.writes.at(-1), { node: 1, slices: [{ partition: 0 }] });
});

t.test('ends what is under way when it is closed', async (t) => {
  const cluster = new TestCluster(1);
  const writer = createWriter(t, cluster);
  cluster.readTopic = async () => {
    throw new Error('nobody there');
  };
  const appended = writer.append(batchOf('1', 'a'), PATIENT_MS);
  await new Promise(setImmediate);
  writer.close();
  t.strictSame(await appended, { isKept: false, refused: 0, code: 'ERROR' });
});
