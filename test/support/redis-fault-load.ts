import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { LoadConnection } from '../../bench/load/connection.ts';
import { writeApiKeys } from './api-key-file.ts';
import { percentile } from './open-loop-load.ts';
import { startProgram } from './start-program.ts';
import { createServiceEnvironment, type RunningService, SERVICE_KEY, startService } from './start-service.ts';
import { createDirectory, until } from './test-app.ts';
import { writeWaivingPolicy } from './waive-memory.ts';
import { whenQuiet } from './when-quiet.ts';

/** Generous for a busy machine; a hanging upstream makes a tenth of the requests use all of it. */
const DEADLINE_MS = 300;
/** What the contract grants on top of the deadline. */
const GRACE_MS = 20;
const PER_SECOND = 50;
/**
 * Without a limit. The load has one that it does not reach, so that each of its requests is counted in Redis.
 */
const OWNER_KEY = 'owner-key';
const CONNECTIONS = 48;
const WATCH_PAUSE_MS = 5;
/** What a round of the watch takes on a machine that has nothing else to do. */
const ROUND_MS = WATCH_PAUSE_MS + 2;
/**
 * Half of the two budgets of Redis that a request could wait for: a span whose requests take so much longer
 * than usual is one in which they waited.
 */
const SLOW_MS = 20;
const SPAN_MS = 250;
/** Enough for a third of the keys to show, and for the odd request that the machine kept not to. */
const SPAN_PERCENT = 70;
/**
 * A machine that others keep busy makes some spans slow; a guard that lets requests wait makes all of them
 * so.
 */
const SLOW_SHARE_MAX = 0.5;
const BEFORE_MS = 1_000;
/**
 * What a busy machine does to a few requests beyond what the watch can see: to so many of them, by so much.
 */
const STRAY_SHARE = 0.02;
const STRAY_MS_MAX = 250;
/** How soon a fault is contained. */
const CONTAINMENT_MS = 1_000;

/** What one request asks, and what may never be answered to it. */
type Kind = 'fresh' | 'repeated' | 'blocked' | 'revoked' | 'hanging' | 'replayed';
const NEVER_ALLOWED: ReadonlySet<Kind> = new Set(['blocked', 'revoked', 'hanging', 'replayed']);
const CYCLE: readonly Kind[] = [
  ...(['fresh', 'replayed', 'blocked', 'fresh', 'repeated'] as const),
  ...(['hanging', 'fresh', 'replayed', 'revoked', 'fresh'] as const),
];

/** An answer as far as it matters whether it is certain. What is waived is not, and counts as ALLOW. */
interface Told {
  readonly reasons?: readonly { readonly certain: boolean; readonly verdict: string }[];
}

interface Answer {
  readonly kind: Kind;
  readonly sentMs: number;
  readonly latencyMs: number;
  readonly status: number;
  readonly decision: string;
}

/** One round of the watch: an answer and a pause. */
interface Sight {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** One row of the fault matrix. Times in milliseconds. */
export interface FaultRow {
  readonly fault: string;
  readonly requests: number;
  readonly refused: number;
  readonly serverErrors: number;
  readonly wrongAllows: number;
  /**
   * The latest answer, beyond its deadline and what the machine itself was late by; negative when all were in
   * time.
   */
  readonly overDeadlineMs: number;
  /** How many were later than what is granted on top of the deadline. */
  readonly late: number;
  /** From the fault to the first quarter of a second in which it kept nobody longer than usual. */
  readonly containmentMs: number;
  /** Of the time after that, the share in which it did all the same. */
  readonly slowShare: number;
  /** From the end of the fault to the first answer that custody in Redis took part in. */
  readonly recoveryMs: number;
}

/** A service in its own process, on emulators in another, under steady load. */
export interface FaultLoad {
  readonly service: RunningService;
  /** What /readyz says. */
  ready(): Promise<ReadyBody>;
  /**
   * Runs the load through a second of peace, the fault, and the time until it is over, then judges what was
   * seen.
   */
  run(t: Test, fault: Fault): Promise<FaultRow>;
}

export interface ReadyBody {
  readonly redis: string;
  readonly redis_problem: { readonly code: string; readonly hint: string } | null;
}

export interface Fault {
  readonly name: string;
  /** Called before the load: a fault is repeated where the machine was busy, and has to find things as at first. */
  readonly prepare?: () => unknown;
  readonly begin: () => unknown;
  readonly end: () => unknown;
  /** How long it lasts; 2.5 s unless set. */
  readonly lastsMs?: number;
  /** When it costs Redis what was stored, if it does: bindings then start over. */
  readonly forgets?: 'at once' | 'in the end';
  /** True for a Redis that answers within its budget: it is used on, and requests wait for it. */
  readonly isServing?: boolean;
  /** Called while the fault lasts and load runs, after the time in which it is to be contained. */
  readonly during?: () => unknown;
}

/** Starts everything; it ends with the test. `env` says which Redis. */
export async function startFaultLoad(t: Test, env: Readonly<Record<string, string>>): Promise<FaultLoad> {
  const emulators = await startProgram(t, [process.execPath, 'src/emulators/main.ts', '--port', '0']);
  const [, origin = ''] = await emulators.until(/^(http:\S+) /);
  const limits = { requests: 190, window_seconds: 1 };
  const service = await startService(t, {
    ...createServiceEnvironment(t, origin),
    API_KEYS_FILE: writeApiKeys(createDirectory(t), [
      { id: 'test', key: SERVICE_KEY, limits },
      { id: 'owner', key: OWNER_KEY },
    ]),
    DECISION_DEADLINE_MS: String(DEADLINE_MS),
    // That a thief is let in must not stay unseen because activity is unknown.
    POLICY_FILE: writeWaivingPolicy(createDirectory(t)),
    // Every read asks Redis, and every answer is let through.
    CACHE_LOCAL_TTL_SECONDS: '0',
    EVENT_LOOP_DELAY_MAX_MS: '0',
    ...env,
  });
  return new Load(service);
}

class Load implements FaultLoad {
  readonly service: RunningService;
  readonly #port: number;
  #runs = 0;
  #attempts = 0;
  #bound: string | null = null;
  #answers: Answer[] = [];
  #sights: Sight[] = [];
  #isOn = false;

  constructor(service: RunningService) {
    this.service = service;
    this.#port = Number(new URL(service.origin).port);
  }

  async ready(): Promise<ReadyBody> {
    return (await (await fetch(`${this.service.origin}/readyz`)).json()) as ReadyBody;
  }

  async run(t: Test, fault: Fault): Promise<FaultRow> {
    const rows: FaultRow[] = [];
    await whenQuiet(t, async () => {
      const row = await this.#runOnce(t, fault);
      rows.push(row);
      return findLateness(row, fault);
    });
    const [row] = rows.slice(-1);
    if (row === undefined) throw new Error('there was no attempt');
    return row;
  }

  async #runOnce(t: Test, fault: Fault): Promise<FaultRow> {
    this.#runs += 1;
    this.#answers = [];
    this.#sights = [];
    await fault.prepare?.();
    await until('Redis is up', async () => (await this.ready()).redis === 'up');
    await this.#bind();
    this.#isOn = true;
    const load = Promise.all([this.#send(), this.#watch()]);
    try {
      const { beganMs, endedMs } = await this.#suffer(fault);
      this.#isOn = false;
      await load;
      return this.#expect(t, fault, beganMs, endedMs);
    } finally {
      this.#isOn = false;
      await load;
    }
  }

  async #suffer(fault: Fault): Promise<{ beganMs: number; endedMs: number }> {
    await delay(BEFORE_MS);
    if (fault.forgets === 'at once') this.#bound = null;
    const beganMs = performance.now();
    await fault.begin();
    await delay(Math.max(fault.lastsMs ?? 2_500, CONTAINMENT_MS));
    await fault.during?.();
    if (fault.forgets === 'in the end') this.#bound = null;
    const endedMs = performance.now();
    await fault.end();
    if (fault.forgets !== undefined) await this.#bind();
    await until('a replay is known again', () =>
      this.#answers.some(
        ({ kind, decision, sentMs }) => kind === 'replayed' && decision === 'BLOCK' && sentMs > endedMs,
      ),
    );
    return { beganMs, endedMs };
  }

  #expect(t: Test, fault: Fault, beganMs: number, endedMs: number): FaultRow {
    const row = this.#judge(fault.name, beganMs, endedMs);
    t.comment(JSON.stringify(row));
    t.equal(row.serverErrors + row.refused, 0, 'every request is decided');
    t.equal(row.wrongAllows, 0, 'no one is let in because Redis is missing');
    t.ok(row.requests > 100, 'there was load');
    return row;
  }

  /**
   * Lets an owner use a telemetry id first, and waits until a thief is told so. An id that the owner was not
   * certain of may have gone to the thief: each attempt takes a new one.
   */
  async #bind(): Promise<void> {
    await until('an id is bound to its owner', async () => {
      this.#attempts += 1;
      // Of an older id a Redis that has come back empty cannot say who is its owner.
      const telemetry_id = `just-taken-bound-${this.#attempts}`;
      const owner = { telemetry_id, device_id: 'active', account_id: 'owner' };
      if (!(await this.#ask(owner)).includes('"ALLOW"')) return false;
      const thief = { telemetry_id, device_id: 'never-seen', account_id: 'thief' };
      if (!(await this.#ask(thief)).includes('TELEMETRY_REPLAYED')) return false;
      this.#bound = telemetry_id;
      return true;
    });
  }

  async #ask(body: object): Promise<string> {
    const connection = await LoadConnection.open(this.#port);
    const { promise, resolve } = Promise.withResolvers<string>();
    connection.send(toRequest(body, OWNER_KEY, null), (response) =>
      resolve(response instanceof Error ? '' : response.message.toString()),
    );
    const text = await promise;
    connection.close();
    const { reasons = [] } = (text === '' ? {} : JSON.parse(text.slice(text.indexOf('{')))) as Told;
    return reasons.every(({ certain, verdict }) => certain || verdict === 'ALLOW') ? text : '';
  }

  /** An open loop: a late answer does not keep the next request. */
  async #send(): Promise<void> {
    const idle = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => LoadConnection.open(this.#port)),
    );
    const all = [...idle];
    const startMs = performance.now();
    let serial = 0;
    let answered = 0;
    while (this.#isOn) {
      const due = ((performance.now() - startMs) * PER_SECOND) / 1000;
      for (; serial < due; serial += 1) {
        const connection = idle.pop();
        // More than a deadline's worth of requests wait already: the judgement will say so.
        if (connection === undefined) break;
        this.#sendOne(connection, serial, () => {
          answered += 1;
          idle.push(connection);
        });
      }
      await delay(4);
    }
    await until('the last request is answered', () => answered === serial);
    for (const connection of all) connection.close();
  }

  #sendOne(connection: LoadConnection, serial: number, done: () => void): void {
    const asked = CYCLE[serial % CYCLE.length] ?? 'fresh';
    const kind = asked === 'replayed' && this.#bound === null ? 'fresh' : asked;
    const sentMs = performance.now();
    const key = serial % 3 === 0 ? `"${this.#runs}-${serial}"` : null;
    connection.send(toRequest(this.#bodyOf(kind, serial), SERVICE_KEY, key), (response) => {
      const isError = response instanceof Error;
      const [, decision = ''] = isError ? [] : (/"decision":"(\w+)"/.exec(response.message.toString()) ?? []);
      const status = isError ? 0 : response.status;
      this.#answers.push({ kind, sentMs, latencyMs: performance.now() - sentMs, status, decision });
      done();
    });
  }

  #bodyOf(kind: Kind, serial: number): object {
    switch (kind) {
      case 'fresh':
        return { telemetry_id: `fault-slow-1-fresh-${this.#runs}-${serial}`, device_id: 'active' };
      case 'repeated':
        return { telemetry_id: 'allow', device_id: 'active' };
      case 'blocked':
        return { telemetry_id: 'block', device_id: 'active' };
      case 'revoked':
        return { telemetry_id: 'minimal', device_id: 'revoked' };
      case 'hanging':
        return { telemetry_id: 'fault-hang', device_id: 'active' };
      case 'replayed':
        return { telemetry_id: this.#bound, device_id: 'never-seen', account_id: 'thief' };
    }
  }

  /**
   * Asks for readiness all the time, which no deadline and no Redis has a part in: what it waits is what the
   * machine makes everyone wait.
   */
  async #watch(): Promise<void> {
    const connection = await LoadConnection.open(this.#port);
    const request = Buffer.from('GET /readyz HTTP/1.1\r\nhost: test\r\n\r\n');
    for (let beganMs = performance.now(); this.#isOn; ) {
      const { promise, resolve } = Promise.withResolvers<void>();
      connection.send(request, () => resolve());
      await promise;
      await delay(WATCH_PAUSE_MS);
      const endedMs = performance.now();
      this.#sights.push({ beganMs, endedMs });
      beganMs = endedMs;
    }
    connection.close();
  }

  #judge(fault: string, beganMs: number, endedMs: number): FaultRow {
    const answers = this.#answers;
    const own = answers.map((answer) => ({ ...answer, ownMs: answer.latencyMs - this.#noiseDuring(answer) }));
    const usual = own.filter(({ kind }) => kind !== 'hanging');
    const spans = toSpans(usual, beganMs, endedMs);
    const firstQuick = spans.indexOf('quick');
    const known = answers.find(
      ({ kind, decision, sentMs }) => kind === 'replayed' && decision === 'BLOCK' && sentMs > endedMs,
    );
    return {
      fault,
      requests: answers.length,
      refused: answers.filter(({ status }) => status !== 200 && status < 500).length,
      serverErrors: answers.filter(({ status }) => status >= 500).length,
      wrongAllows: answers.filter(({ kind, decision }) => decision === 'ALLOW' && NEVER_ALLOWED.has(kind))
        .length,
      overDeadlineMs: Math.round(Math.max(...own.map(({ ownMs }) => ownMs)) - DEADLINE_MS),
      late: own.filter(({ ownMs }) => ownMs > DEADLINE_MS + GRACE_MS).length,
      containmentMs: firstQuick === -1 ? Infinity : firstQuick * SPAN_MS,
      slowShare: spans.slice(firstQuick).filter((span) => span === 'slow').length / spans.length,
      recoveryMs: known === undefined ? -1 : Math.round(known.sentMs + known.latencyMs - endedMs),
    };
  }

  /**
   * By how much the machine kept the watch from its rounds while the request was sent, and from its deadline
   * on: late at any other time, it costs a request that waits nothing.
   */
  #noiseDuring({ sentMs, latencyMs }: Answer): number {
    const endMs = sentMs + latencyMs;
    const waitedUntilMs = Math.min(endMs, sentMs + DEADLINE_MS);
    return this.#sights
      .filter(({ beganMs, endedMs }) => {
        const isAtSending = beganMs <= sentMs && endedMs > sentMs;
        return isAtSending || (beganMs < endMs && endedMs > waitedUntilMs);
      })
      .reduce((sum, { beganMs, endedMs }) => sum + Math.max(0, endedMs - beganMs - ROUND_MS), 0);
  }
}

/** What was later than it may be. */
function findLateness(row: FaultRow, { isServing = false }: Fault): readonly string[] {
  const late: string[] = [];
  if (row.overDeadlineMs > STRAY_MS_MAX) late.push(`${row.overDeadlineMs} ms over the deadline`);
  if (isServing) return late;
  if (row.late > row.requests * STRAY_SHARE) late.push(`${row.late} of ${row.requests} were late`);
  if (row.containmentMs > CONTAINMENT_MS) late.push(`contained after ${row.containmentMs} ms`);
  if (row.slowShare > SLOW_SHARE_MAX) late.push(`and slow again for ${row.slowShare} of the time`);
  return late;
}

/** Whether the requests of each span of the fault took longer than those before it. */
function toSpans(
  answers: readonly { readonly sentMs: number; readonly ownMs: number }[],
  beganMs: number,
  endedMs: number,
): readonly ('quick' | 'slow')[] {
  const within = (fromMs: number, toMs: number) =>
    answers.filter(({ sentMs }) => sentMs >= fromMs && sentMs < toMs).map(({ ownMs }) => ownMs);
  const usualMs = percentile(within(0, beganMs - DEADLINE_MS), 50);
  return Array.from({ length: Math.ceil((endedMs - beganMs) / SPAN_MS) }, (_, place) => {
    const fromMs = beganMs + place * SPAN_MS;
    const spentMs = percentile(within(fromMs, Math.min(fromMs + SPAN_MS, endedMs)), SPAN_PERCENT);
    return spentMs > usualMs + SLOW_MS ? 'slow' : 'quick';
  });
}

function toRequest(body: object, apiKey: string, idempotencyKey: string | null): Buffer {
  const text = JSON.stringify(body);
  const lines = [
    'POST /v1/decide HTTP/1.1',
    'host: test',
    `x-api-key: ${apiKey}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    ...(idempotencyKey === null ? [] : [`idempotency-key: ${idempotencyKey}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`);
}
