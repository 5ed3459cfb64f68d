import { murmur2 } from '@platformatic/kafka';
import type { KafkaCluster, Leader, ProducerIdentity } from './kafka-cluster.ts';
import { toKafkaErrorCode } from './kafka-error-code.ts';
import { PartitionQueue, type QueuedMessage } from './partition-queue.ts';
import { Writing, type WritingResult } from './writing.ts';

/** One batch. Its name is that of no other. */
interface MessageBatch {
  readonly name: string;
  readonly messages: readonly QueuedMessage[];
}

/** What one broker is sent at once. */
interface Request {
  readonly leader: Leader;
  readonly identity: ProducerIdentity;
  readonly queues: PartitionQueue[];
}

/** Nothing is left, or all went well and there is more, or something has to be tried again. */
type Round = 'done' | 'more' | 'failed';

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2_000;
/** How long it is taken for known who leads which partition, unless a write fails. */
const LEADERS_KEPT_MS = 60_000;
const POSITIVE = 0x7f_ff_ff_ff;

/**
 * Writes batches to a topic, one after the other, each message once. What was sent and not answered is sent
 * again under the same numbers for as long as it takes, and a broker keeps a number once; nothing else is
 * sent to that partition meanwhile. So at most one batch is in memory, and none is given up half way.
 */
export class TopicWriter {
  readonly #cluster: KafkaCluster;
  readonly #queues = new Map<number, PartitionQueue>();
  #leaders: readonly (Leader | null)[] = [];
  #leadersReadMs = Number.NEGATIVE_INFINITY;
  /** For partitions that have none. */
  #identity: ProducerIdentity | null = null;
  /** Where the next message without a key goes. */
  #turn = 0;
  #latest: Writing | null = null;
  #isClosed = false;

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster;
  }

  /**
   * Writes a batch, or waits for the latest one where that has its name. Resolves within `waitMs`, and goes
   * on with what it has begun. Never rejects.
   */
  async append(batch: MessageBatch, waitMs: number): Promise<WritingResult> {
    const untilMs = performance.now() + waitMs;
    const before = this.#latest;
    if (before !== null && before.name !== batch.name && !(await before.endsBefore(untilMs)))
      return before.result();
    if (this.#latest?.name !== batch.name)
      this.#latest = new Writing(batch.name).start((writing) => this.#write(batch.messages, writing));
    const writing = this.#latest;
    await writing.endsBefore(untilMs);
    return writing.result();
  }

  /** Gives up what is under way. */
  close(): void {
    this.#isClosed = true;
    this.#latest?.wake();
  }

  async #write(messages: readonly QueuedMessage[], writing: Writing): Promise<boolean> {
    let unassigned = messages;
    let waitMs = RETRY_MS_MIN;
    while (!this.#isClosed) {
      const round = await this.#tryRound(unassigned, messages.length === 0, writing);
      if (round === 'done') return true;
      if (round !== null) unassigned = [];
      if (round === 'more') {
        waitMs = RETRY_MS_MIN;
        continue;
      }
      this.#leadersReadMs = Number.NEGATIVE_INFINITY;
      await writing.pause(waitMs);
      waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
    }
    return false;
  }

  /** Null where it could not begin. A batch of nothing asks the cluster all the same. */
  async #tryRound(
    unassigned: readonly QueuedMessage[],
    isEmpty: boolean,
    writing: Writing,
  ): Promise<Round | null> {
    let identity: ProducerIdentity;
    try {
      if (isEmpty || performance.now() - this.#leadersReadMs > LEADERS_KEPT_MS) await this.#readLeaders();
      identity = this.#identity ?? (await this.#cluster.createIdentity());
    } catch (error) {
      writing.code = toKafkaErrorCode(error);
      return null;
    }
    this.#identity = identity;
    this.#assign(unassigned);
    return this.#writeRound(identity, writing);
  }

  async #readLeaders(): Promise<void> {
    this.#leaders = await this.#cluster.readTopic();
    this.#leadersReadMs = performance.now();
    // A topic that was made again, with fewer partitions.
    const gone = [...this.#queues.values()].filter(({ partition }) => partition >= this.#leaders.length);
    for (const { partition } of gone) this.#queues.delete(partition);
    this.#assign(gone.flatMap((queue) => queue.messages()));
  }

  #assign(messages: readonly QueuedMessage[]): void {
    const places = Map.groupBy(messages, ({ message }) => this.#choosePartition(message.key));
    for (const [partition, group] of places) {
      const queue = this.#queues.get(partition) ?? new PartitionQueue(partition);
      this.#queues.set(partition, queue);
      queue.add(group);
    }
  }

  /** As Kafka's own clients choose it, so that other topics with these keys can be joined. */
  #choosePartition(key: Buffer | undefined): number {
    this.#turn += 1;
    return (key === undefined ? this.#turn : murmur2(key) & POSITIVE) % this.#leaders.length;
  }

  async #writeRound(identity: ProducerIdentity, writing: Writing): Promise<Round> {
    const due = [...this.#queues.values()].filter(({ isEmpty }) => !isEmpty);
    const requests = new Map<string, Request>();
    let isWhole = true;
    for (const queue of due) {
      const leader = this.#leaders[queue.partition] ?? null;
      if (leader === null) {
        writing.code = 'LEADER_NOT_AVAILABLE';
        isWhole = false;
        continue;
      }
      const known = queue.identity ?? queue.identify(identity);
      const name = `${leader.node}/${known.id}`;
      const request = requests.get(name) ?? { leader, identity: known, queues: [] };
      request.queues.push(queue);
      requests.set(name, request);
    }
    const sent = await Promise.all([...requests.values()].map((request) => this.#send(request, writing)));
    if (!isWhole || sent.includes(false)) return 'failed';
    return due.every(({ isEmpty }) => isEmpty) ? 'done' : 'more';
  }

  /** False where something has to be tried again. */
  async #send({ leader, identity, queues }: Request, writing: Writing): Promise<boolean> {
    const slices = queues.map((queue) => queue.next()).filter((slice) => slice !== undefined);
    try {
      const codes = await this.#cluster.write(leader, identity, slices);
      const settled = queues.map((queue) => this.#settle(queue, codes.get(queue.partition), writing));
      return !settled.includes(false);
    } catch (error) {
      writing.code = toKafkaErrorCode(error);
      return false;
    }
  }

  #settle(queue: PartitionQueue, code = 'NO_ANSWER', writing: Writing): boolean {
    const { result, refused } = queue.settle(code);
    writing.refused += refused;
    if (result !== 'kept') writing.code = code;
    // Others still use what one partition has forgotten.
    if (result === 'forgotten') this.#identity = null;
    return result === 'kept' || result === 'refused';
  }
}
