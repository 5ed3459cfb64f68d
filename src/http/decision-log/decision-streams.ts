import type { FastifyReply } from 'fastify';
import type { Clock } from '../../application/clock.ts';
import type { DecisionFeed, Follower } from '../../application/decision-log/decision-feed.ts';
import type { LogEntry, LogPosition } from '../../application/decision-log/decision-log.ts';
import { matchesFilter, type RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import type { StreamEnd } from '../schemas/decision-stream.ts';
import { toDecisionSummary } from '../schemas/decisions.ts';
import { type EventStream, openEventStream, toFrame } from './event-stream.ts';

/** Streams of one process: each costs a socket and at most its buffer. */
const STREAMS_MAX = 1_000;
/** At least every 15 s, with room for a busy process. */
const HEARTBEAT_SECONDS = 10;
const FULL_RETRY_SECONDS = 10;

interface StreamRequest {
  readonly reply: FastifyReply;
  readonly filter: RecordFilter;
  /** The id of the last event that the client has; null begins now. */
  readonly after: LogPosition | null;
  /** Checked at every heartbeat, so that a revoked key ends its streams. */
  readonly isAllowed: () => boolean;
}

/** Every open stream of this process. */
export interface DecisionStreams {
  readonly size: number;
  /**
   * Answers with a stream. Rejects before anything is sent: `overloaded` when there are too many,
   * `store_unavailable` when the log cannot be read.
   */
  open(request: StreamRequest): Promise<void>;
  /**
   * Ends all of them, and from now on every new one after its first events: clients come back to another
   * replica.
   */
  drain(): void;
}

/** Builds an empty set of streams. Its heartbeat runs only while there are any. */
export function createDecisionStreams(options: {
  readonly feed: DecisionFeed;
  readonly clock: Clock;
  readonly heartbeatSeconds?: number;
}): DecisionStreams {
  const { feed, clock, heartbeatSeconds = HEARTBEAT_SECONDS } = options;
  const streams = new Set<Stream>();
  const toFrameOnce = rememberFrames();
  let heartbeat: NodeJS.Timeout | null = null;
  let isDraining = false;
  const leave = (stream: Stream) => {
    streams.delete(stream);
    if (streams.size > 0 || heartbeat === null) return;
    clearInterval(heartbeat);
    heartbeat = null;
  };
  const beat = () => {
    const at = toRfc3339(clock.nowMs());
    for (const stream of streams) stream.beat(at);
  };
  return {
    get size() {
      return streams.size;
    },
    open: async (request) => {
      if (streams.size >= STREAMS_MAX) throw full();
      const stream = new Stream(request, toFrameOnce, heartbeatSeconds, leave);
      streams.add(stream);
      heartbeat ??= setInterval(beat, heartbeatSeconds * 1000).unref();
      try {
        await stream.follow(feed);
      } catch (error) {
        leave(stream);
        throw error;
      }
      if (isDraining) stream.end('draining');
    },
    drain: () => {
      isDraining = true;
      for (const stream of streams) stream.end('draining');
    },
  };
}

function full(): RiskgateError {
  return new RiskgateError('overloaded', 'Too many streams are open.', {
    publicDetail: 'Too many streams are open.',
    retryAfterSeconds: FULL_RETRY_SECONDS,
  });
}

/** The feed hands one entry to all streams: it is written out once. */
function rememberFrames(): (entry: LogEntry) => string {
  const frames = new WeakMap<LogEntry, string>();
  return (entry) => {
    const known = frames.get(entry);
    if (known !== undefined) return known;
    const frame = toEntryFrame(entry);
    frames.set(entry, frame);
    return frame;
  };
}

function toEntryFrame({ position, record }: LogEntry): string {
  if (record.kind === 'decision')
    return toFrame('decision', JSON.stringify(toDecisionSummary(record, [])), position);
  if (record.kind === 'event') {
    const { version: _, kind: _kind, event, ...data } = record;
    return toFrame(event, JSON.stringify(data), position);
  }
  const { dropped, from, until } = record;
  return toFrame('gap', JSON.stringify({ cause: 'dropped', dropped, from, until }), position);
}

/** One client: its filter and its position. */
class Stream {
  readonly #request: StreamRequest;
  readonly #toFrame: (entry: LogEntry) => string;
  readonly #heartbeatSeconds: number;
  readonly #filter: RecordFilter;
  readonly #onLeave: (stream: Stream) => void;
  #output: EventStream | null = null;
  #follower: Follower | null = null;
  #isOver = false;

  constructor(
    request: StreamRequest,
    toFrameOnce: (entry: LogEntry) => string,
    heartbeatSeconds: number,
    onLeave: (stream: Stream) => void,
  ) {
    this.#request = request;
    this.#toFrame = toFrameOnce;
    this.#heartbeatSeconds = heartbeatSeconds;
    this.#filter = { ...request.filter, includesGaps: true, includesEvents: true };
    this.#onLeave = onLeave;
  }

  async follow(feed: DecisionFeed): Promise<void> {
    const follower = await feed.follow(this.#request.after, {
      onEntries: (entries) => this.#write(entries.map((entry) => this.#frameOf(entry)).join('')),
      onGap: () => this.#write(LOST_FRAME),
      hasRoom: async () => this.#hasRoom(),
      onLost: () => this.end('store_unavailable'),
    });
    this.#follower = follower;
    if (this.#isOver) follower.leave();
    else this.#open();
  }

  beat(at: string): void {
    // One that has not begun yet is still being let in.
    if (this.#follower === null) return;
    if (!this.#request.isAllowed()) this.end('unauthorised');
    else this.#write(toFrame('heartbeat', JSON.stringify({ at }), this.#follower.position()));
  }

  end(cause: StreamEnd): void {
    if (this.#isOver) return;
    this.#open().end(toFrame('end', JSON.stringify({ cause }), null));
    this.#close();
  }

  #frameOf(entry: LogEntry): string {
    return matchesFilter(entry.record, this.#filter, null) ? this.#toFrame(entry) : '';
  }

  #write(frames: string): void {
    if (this.#isOver || frames === '') return;
    if (!this.#open().write(frames)) this.end('slow_reader');
  }

  async #hasRoom(): Promise<boolean> {
    if (await this.#open().hasRoom()) return !this.#isOver;
    this.end('slow_reader');
    return false;
  }

  /** Starts the answer if it has not started: entries can arrive before the feed's promise resolves. */
  #open(): EventStream {
    if (this.#output !== null) return this.#output;
    const { reply, after } = this.#request;
    reply.hijack();
    this.#output = openEventStream(reply.raw, reply.getHeaders(), () => this.#close());
    const ready = { resumed: after !== null, heartbeat_seconds: this.#heartbeatSeconds };
    this.#output.write(toFrame('ready', JSON.stringify(ready), null));
    return this.#output;
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#follower?.leave();
    this.#onLeave(this);
  }
}

const LOST_FRAME = toFrame(
  'gap',
  JSON.stringify({ cause: 'not_kept', dropped: null, from: null, until: null }),
  null,
);
