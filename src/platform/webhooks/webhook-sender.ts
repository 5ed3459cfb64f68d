import type { HttpClient } from '../http-client.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import { signWebhook } from './sign-webhook.ts';
import type { WaitingWebhook, WebhookOutbox } from './webhook-outbox.ts';

/** Where messages of some types go. */
interface WebhookTarget {
  readonly name: string;
  readonly url: URL;
  readonly key: Uint8Array;
  /** The types that it wants; null wants all. */
  readonly types: readonly string[] | null;
  /** To the origin of the URL. */
  readonly client: Pick<HttpClient, 'exchange'>;
}

/** One message. It holds no identifier. */
interface WebhookMessage {
  readonly type: string;
  readonly data: object;
}

/**
 * What became of a message at a target: `delivered`; `retried`, an attempt failed and another follows; `given_up`
 * after the last; `dropped`, because too many wait.
 */
export const WEBHOOK_RESULTS = ['delivered', 'retried', 'given_up', 'dropped'] as const;

/** What is told of an attempt. `why` is a status or a code. */
export interface WebhookEvent {
  readonly target: string;
  readonly result: (typeof WEBHOOK_RESULTS)[number];
  readonly attempt: number;
  readonly why: string | null;
}

interface WebhookSenderOptions {
  readonly targets: readonly WebhookTarget[];
  readonly nowMs: () => number;
  /** A UUIDv7. */
  readonly newId: () => string;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly onEvent: (event: WebhookEvent) => void;
  /** Waits after each failed attempt. */
  readonly waitsMs?: readonly number[];
  /** Keeps what waits; without one a restart forgets it. */
  readonly outbox?: WebhookOutbox | null;
  /** How often messages that nobody sends are looked for in it. */
  readonly lookIntervalMs?: number;
}

/** What became of the messages of one target since the start, and how many wait. */
export interface WebhookUsage extends Readonly<Record<(typeof WEBHOOK_RESULTS)[number], number>> {
  readonly target: string;
  /** Messages that wait for an attempt, the first or another, or are being sent. */
  readonly waiting: number;
}

/** The one place that messages are sent from. */
export interface WebhookSender {
  /** Sends to every target that wants the type, without waiting. Never throws. */
  send(message: WebhookMessage): void;
  /** Stops. What waits, or is under way, is forgotten but for what the outbox keeps. */
  close(): void;
}

/** With what can be read of it. */
export interface CountingWebhookSender extends WebhookSender {
  /** One entry for each target. */
  usage(): readonly WebhookUsage[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Nine attempts within 28 hours, as Standard Webhooks proposes. */
const WAITS_MS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR] as const;
/** A target that asks for a later attempt gets it, up to this. */
const RETRY_AFTER_MS_MAX = HOUR;
const JITTER = 0.2;
/** The longest of the waits, with its jitter. */
const WAIT_MS_MAX = 12 * HOUR;
const BUDGET_MS = 15_000;
/** Messages of one target that wait, at about a kilobyte each. */
const WAITING_MAX = 1_000;
/** Attempts of one target at the same time. */
const CONCURRENT_MAX = 4;

/** Less than half of the time for which an outbox keeps a message for its owner. */
const LOOK_INTERVAL_MS = 20_000;

interface Job {
  readonly id: string;
  readonly body: string;
  attempt: number;
}

/** Builds the sender, and sends what the outbox has kept. */
export function createWebhookSender(options: WebhookSenderOptions): CountingWebhookSender {
  const { targets, nowMs, newId } = options;
  const queues = targets.map((target) => ({ target, queue: new TargetQueue(target, options) }));
  const lookForAll = () => {
    for (const { queue } of queues) queue.look();
  };
  const looks = options.outbox ? setInterval(lookForAll, options.lookIntervalMs ?? LOOK_INTERVAL_MS) : null;
  looks?.unref();
  if (looks !== null) lookForAll();
  return {
    send: ({ type, data }) => {
      const wanted = queues.filter(({ target: { types } }) => types === null || types.includes(type));
      if (wanted.length === 0) return;
      const body = JSON.stringify({ type, timestamp: new Date(nowMs()).toISOString(), data });
      const id = `msg_${newId()}`;
      for (const { queue } of wanted) queue.add({ id, body, attempt: 0 });
    },
    usage: () => queues.map(({ queue }) => queue.usage()),
    close: () => {
      if (looks !== null) clearInterval(looks);
      for (const { queue } of queues) queue.close();
    },
  };
}

/** The messages of one target. One that has to wait for its next attempt holds up no other. */
class TargetQueue {
  readonly #target: WebhookTarget;
  readonly #options: WebhookSenderOptions;
  readonly #outbox: WebhookOutbox | null;
  readonly #due: Job[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Of every message that is here: waiting, or under way. */
  readonly #ids = new Set<string>();
  readonly #counts = { delivered: 0, retried: 0, given_up: 0, dropped: 0 };
  #underWay = 0;
  #isClosed = false;

  constructor(target: WebhookTarget, options: WebhookSenderOptions) {
    this.#target = target;
    this.#options = options;
    this.#outbox = options.outbox ?? null;
  }

  add(job: Job): void {
    if (this.#isClosed) return;
    if (this.#due.length + this.#timers.size >= WAITING_MAX) {
      this.#tell('dropped', job, null);
      return;
    }
    this.#ids.add(job.id);
    this.#keep(job, this.#options.nowMs());
    this.#due.push(job);
    this.#work();
  }

  /** Keeps what is here, and takes what nobody sends. */
  look(): void {
    if (this.#due.length > 0)
      this.#outbox?.hold(
        this.#target.name,
        this.#due.map(({ id }) => id),
      );
    const room = WAITING_MAX - this.#due.length - this.#timers.size;
    if (room > 0) void this.#outbox?.claim(this.#target.name, room).then((found) => this.#take(found));
  }

  #take(found: readonly WaitingWebhook[]): void {
    if (this.#isClosed) return;
    for (const { id, body, seal, attempt, dueAtMs } of found) {
      if (this.#ids.has(id) || seal !== this.#sealOf(id, body)) continue;
      this.#ids.add(id);
      const waitMs = dueAtMs - this.#options.nowMs();
      this.#wait({ id, body, attempt }, Math.min(Math.max(0, waitMs), WAIT_MS_MAX));
    }
  }

  /** A signature that no receiver takes, by its id and its time. */
  #sealOf(id: string, body: string): string {
    const signed = signWebhook(this.#target.key, { id: `kept_${id}`, atMs: 0, body });
    return signed['webhook-signature'] ?? '';
  }

  usage(): WebhookUsage {
    const waiting = this.#due.length + this.#timers.size + this.#underWay;
    return { target: this.#target.name, ...this.#counts, waiting };
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#due.length = 0;
  }

  #work(): void {
    while (this.#underWay < CONCURRENT_MAX && !this.#isClosed) {
      const job = this.#due.shift();
      if (job === undefined) return;
      this.#underWay += 1;
      void this.#attempt(job).finally(() => {
        this.#underWay -= 1;
        this.#work();
      });
    }
  }

  async #attempt(job: Job): Promise<void> {
    const { url, key, client } = this.#target;
    job.attempt += 1;
    const { id, body } = job;
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'riskgate',
      ...signWebhook(key, { id, atMs: this.#options.nowMs(), body }),
    };
    const path = `${url.pathname}${url.search}`;
    const result = await client.exchange({ method: 'POST', path, headers, body }, BUDGET_MS);
    if (this.#isClosed) {
      if (isTaken(result)) this.#outbox?.remove(this.#target.name, id);
      return;
    }
    if (result.kind !== 'response') {
      this.#retry(job, result.kind === 'failed' ? result.code : result.kind, null);
      return;
    }
    const { status, headers: received } = result.response;
    if (isTaken(result)) this.#end('delivered', job, null);
    // Gone: the receiver wants no more of it (Standard Webhooks).
    else if (status === 410) this.#end('given_up', job, '410');
    else this.#retry(job, String(status), parseRetryAfterMs(received['retry-after'], this.#options.nowMs()));
  }

  #retry(job: Job, why: string, askedMs: number | null): void {
    const waits = this.#options.waitsMs ?? WAITS_MS;
    const waitMs = waits[job.attempt - 1];
    if (waitMs === undefined) {
      this.#end('given_up', job, why);
      return;
    }
    this.#tell('retried', job, why);
    const jittered = waitMs * (1 + JITTER * this.#options.random());
    const waitedMs = Math.max(jittered, Math.min(askedMs ?? 0, RETRY_AFTER_MS_MAX));
    this.#keep(job, this.#options.nowMs() + waitedMs);
    this.#wait(job, waitedMs);
  }

  #wait(job: Job, waitMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#due.push(job);
      this.#work();
    }, waitMs).unref();
    this.#timers.add(timer);
  }

  #keep({ id, body, attempt }: Job, dueAtMs: number): void {
    const seal = this.#sealOf(id, body);
    this.#outbox?.put({ target: this.#target.name, id, body, seal, attempt, dueAtMs });
  }

  #end(result: 'delivered' | 'given_up', job: Job, why: string | null): void {
    this.#ids.delete(job.id);
    this.#outbox?.remove(this.#target.name, job.id);
    this.#tell(result, job, why);
  }

  #tell(result: WebhookEvent['result'], { attempt }: Job, why: string | null): void {
    this.#counts[result] += 1;
    this.#options.onEvent({ target: this.#target.name, result, attempt, why });
  }
}

function isTaken(result: Awaited<ReturnType<HttpClient['exchange']>>): boolean {
  return result.kind === 'response' && result.response.status >= 200 && result.response.status < 300;
}
