import { Admin, fetchV17, ListOffsetTimestamps } from '@platformatic/kafka';
import { toClient } from './kafka-server.ts';

/** A message of a topic as a consumer gets it. */
export interface TopicMessage {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeMs: number;
  /** How its block is compressed; 0 is not at all, 4 is zstd. */
  readonly compression: number;
}

const FETCH_BYTES = 8 * 1024 * 1024;
const COMPRESSION_BITS = 0b111;
/** No number of a session, and no epoch that the leader is to compare. */
const NO_SESSION = -1;

/** Everything that a topic holds and consumers may see, partition after partition, in order. */
export async function readTopic(brokers: string, topic: string): Promise<readonly TopicMessage[]> {
  const admin = new Admin({ ...toClient(brokers), retries: 30, retryDelay: 200 });
  try {
    const { brokers: nodes, topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    const { id, partitions = [] } = topics.get(topic) ?? {};
    const all = partitions.map(async ({ leader }, partition) => {
      const node = nodes.get(leader);
      if (node === undefined || id === undefined) throw new Error('a partition has no leader');
      return readPartition(admin, { topic, id, partition, node });
    });
    return (await Promise.all(all)).flat();
  } finally {
    await admin.close();
  }
}

interface Place {
  readonly topic: string;
  readonly id: string;
  readonly partition: number;
  readonly node: { readonly host: string; readonly port: number };
}

async function readPartition(admin: Admin, { topic, id, partition, node }: Place): Promise<TopicMessage[]> {
  const [listed] = await admin.listOffsets({
    topics: [
      { name: topic, partitions: [{ partitionIndex: partition, timestamp: ListOffsetTimestamps.LATEST }] },
    ],
  });
  const end = listed?.partitions[0]?.offset ?? 0n;
  const messages: TopicMessage[] = [];
  for (let offset = 0n; offset < end; ) {
    const connection = await admin.connections.get(node);
    const from = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: offset,
      lastFetchedEpoch: -1,
      partitionMaxBytes: FETCH_BYTES,
    };
    const request = [{ topicId: id, partitions: [from] }];
    const { responses } = await fetchV17.api.async(
      connection,
      0,
      1,
      FETCH_BYTES,
      0,
      0,
      NO_SESSION,
      request,
      [],
      '',
    );
    const batches = responses[0]?.partitions[0]?.records ?? [];
    if (batches.length === 0) throw new Error('a fetch below the end brings nothing');
    for (const { firstOffset, firstTimestamp, lastOffsetDelta, attributes, records } of batches) {
      for (const { key, value, headers, timestampDelta } of records)
        messages.push({
          partition,
          key: key === null ? null : String(key),
          value: String(value),
          headers: Object.fromEntries(headers.map(([name, text]) => [String(name), String(text)])),
          timeMs: Number(firstTimestamp + timestampDelta),
          compression: attributes & COMPRESSION_BITS,
        });
      offset = firstOffset + BigInt(lastOffsetDelta) + 1n;
    }
  }
  return messages;
}
