import type { MessageRecord } from '@platformatic/kafka';
import type { ProducerIdentity, Slice } from './kafka-cluster.ts';

/** A message, and what is written in its place where brokers refuse it: nothing where that is absent. */
export interface QueuedMessage {
  readonly message: MessageRecord;
  readonly substitute?: () => MessageRecord;
}

/** What the answer of a broker means. */
interface Settled {
  /** `open`: the slice is to be sent again. `forgotten`: under another identity. */
  readonly result: 'kept' | 'refused' | 'forgotten' | 'open';
  /** How many messages are given up, or replaced. */
  readonly refused: number;
}

/** What brokers keep by default is 1 MiB after compression; many small blocks compress worse. */
const SLICE_BYTES = 256 * 1024;
/** Sequence numbers are of 31 bits, and begin again at 0. */
const SEQUENCES = 2 ** 31;
/** It has these messages. The second is of a block that it got before. */
const KEPT: readonly string[] = ['NONE', 'DUPLICATE_SEQUENCE_NUMBER'];
/** It will not take these messages, however often they are sent. None of them is kept. */
const REFUSED: readonly string[] = [
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
];
/** It no longer knows who numbered them: its state is lost, or too old. None of them is kept now. */
const FORGOTTEN: readonly string[] = [
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
];

/**
 * The messages of one partition that are not known to be kept, in their order, and how they are numbered. The
 * first slice stays the same until its fate is known: an equal number says that messages are the same.
 */
export class PartitionQueue {
  readonly partition: number;
  readonly #slices: QueuedMessage[][] = [];
  #identity: ProducerIdentity | null = null;
  #sequence = 0;

  constructor(partition: number) {
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.#slices.length === 0;
  }

  /** Null where one is needed. */
  get identity(): ProducerIdentity | null {
    return this.#identity;
  }

  /** Numbers begin at 0. */
  identify(identity: ProducerIdentity): ProducerIdentity {
    this.#identity = identity;
    this.#sequence = 0;
    return identity;
  }

  add(messages: readonly QueuedMessage[]): void {
    let slice: QueuedMessage[] = [];
    let bytes = 0;
    for (const one of messages) {
      if (slice.length > 0 && bytes + one.message.value.length > SLICE_BYTES) {
        this.#slices.push(slice);
        slice = [];
        bytes = 0;
      }
      slice.push(one);
      bytes += one.message.value.length;
    }
    if (slice.length > 0) this.#slices.push(slice);
  }

  /** Everything that waits. */
  messages(): readonly QueuedMessage[] {
    return this.#slices.flat();
  }

  /** What is to be written next; undefined when there is nothing. */
  next(): Slice | undefined {
    const [slice] = this.#slices;
    if (slice === undefined) return undefined;
    const { partition } = this;
    const messages = slice.map(({ message }) => ({ ...message, partition }));
    return { partition, sequence: this.#sequence, messages };
  }

  /** Takes the code that the broker has given for the first slice. */
  settle(code: string): Settled {
    const [slice] = this.#slices;
    if (slice === undefined) throw new RangeError('what is settled was sent');
    if (KEPT.includes(code)) {
      this.#slices.shift();
      this.#sequence = toNextSequence(this.#sequence, slice.length);
      return { result: 'kept', refused: 0 };
    }
    if (REFUSED.includes(code)) return { result: 'refused', refused: this.#refuse(slice) };
    if (!FORGOTTEN.includes(code)) return { result: 'open', refused: 0 };
    this.#identity = null;
    return { result: 'forgotten', refused: 0 };
  }

  /** Halves are tried, and halves of them: the fault is most often of one message. */
  #refuse(slice: readonly QueuedMessage[]): number {
    this.#slices.shift();
    const middle = Math.ceil(slice.length / 2);
    if (slice.length > 1) {
      this.#slices.unshift(slice.slice(0, middle), slice.slice(middle));
      return 0;
    }
    const substitute = slice[0]?.substitute?.();
    if (substitute !== undefined) this.#slices.unshift([{ message: substitute }]);
    return 1;
  }
}

/** The number after `count` messages that begin with a number: as brokers count, 0 follows the last. */
export function toNextSequence(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES;
}
