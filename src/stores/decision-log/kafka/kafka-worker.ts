import { parentPort, workerData } from 'node:worker_threads';
import { serveCalls } from '../../../platform/remote-worker.ts';
import { createKafkaCluster } from './kafka-cluster.ts';
import type { KafkaTarget } from './kafka-target.ts';
import { type RecordText, toMessage } from './record-message.ts';
import { TopicWriter } from './topic-writer.ts';

/** What the thread is started with. */
export interface KafkaThread {
  readonly target: KafkaTarget;
  /** Whether a record that no broker takes is replaced by a gap; otherwise its batch is never kept. */
  readonly isReplacing: boolean;
}

function writeTopic({ target, isReplacing }: KafkaThread) {
  const writer = new TopicWriter(createKafkaCluster(target));
  return {
    append: (number: number, records: readonly RecordText[], waitMs: number) =>
      writer.append(
        { name: String(number), messages: records.map((one) => toMessage(one, target.topic, isReplacing)) },
        waitMs,
      ),
    close: () => writer.close(),
  };
}

/** What the thread can be asked. */
export type WritingThread = ReturnType<typeof writeTopic>;

// What kafka-sink.ts has sent; Node has no type for it.
if (parentPort !== null) serveCalls(parentPort, writeTopic(workerData as KafkaThread));
