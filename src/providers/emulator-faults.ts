import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { EmulatorOptions } from './definition.ts';
import { type EmulatedAnswer, HTML_HEADERS, htmlAnswer, jsonAnswer, sendAnswer } from './emulated-http.ts';
import { createIdCounter, type IdCounter } from './emulated-id-counter.ts';

/** The vendor's answers to the current request. The shared faults are built from these. */
export interface EmulatorDialect {
  /** The full success payload, echoing the asked id where the vendor does. */
  good(): Readonly<Record<string, unknown>>;
  /**
   * The answer to an id that is no shared fault: known ids, the vendor's own faults, and the vendor's 404.
   */
  answer(): EmulatedAnswer;
  /** The vendor's error body for a status. */
  error(status: 401 | 429 | 500 | 503): EmulatedAnswer;
  /** The vendor's 404. */
  unknown(): EmulatedAnswer;
  /** What the vendor answers when the base URL or path is wrong. */
  routeNotFound(): EmulatedAnswer;
  /**
   * Path and query of a good answer: where redirects point, so that a client which follows them is caught
   * taking it.
   */
  readonly redirectPath: string;
}

/** Answers ids with faults, and everything else with the dialect's own answer. */
export interface FaultEngine {
  /** Settles once the answer is sent or the reply is hijacked; never rejects. */
  respond(reply: FastifyReply, id: string, dialect: EmulatorDialect): Promise<FastifyReply>;
}

/** One representative id of every fault that all three emulators share. */
export const SHARED_FAULT_IDS = [
  'fault-500',
  'fault-503-html',
  'fault-502-empty',
  'fault-429',
  'fault-429-retry-after',
  'fault-401',
  'fault-hang',
  'fault-stall',
  'fault-drip',
  'fault-reset',
  'fault-truncated',
  'fault-empty-200',
  'fault-empty-object',
  'fault-duplicate-names',
  'fault-contradiction',
  'fault-redirect',
  'fault-redirect-307',
  'fault-oversized',
  'fault-oversized-chunked',
  'fault-wrong-type',
  'fault-unknown-fields',
  'fault-route-not-found',
  'fault-slow-200',
  'fault-flaky-1',
] as const;

/**
 * Where a server that wants to count calls per id leaves a `(id: string) => void`, as a Fastify decorator.
 */
export const NOTE_ID_DECORATOR = 'noteEmulatedId';

/** Above the 256 KiB that a client is expected to accept. */
const OVERSIZED_PADDING_BYTES = 300 * 1024;
/** Distinct `fault-flaky` ids remembered. The oldest is forgotten, and then fails again. */
const FLAKY_IDS_MAX = 10_000;
const DRIP_INTERVAL_MS = 50;

const SLOW = /^fault-slow-(\d{1,5})(?:-.+)?$/s;
const FLAKY = /^fault-flaky-(\d{1,3})(?:-.+)?$/s;
const REDIRECT = /^fault-redirect(?:-(301|302|303|307|308))?$/;
const RETRY_AFTER = /^fault-429-retry-after(?:-(\d{1,6}|date))?$/;

type Respond<Result> = (dialect: EmulatorDialect) => Result;

/** Faults that are a whole HTTP message. A Map, because ids like `constructor` come from outside. */
const MESSAGE_FAULTS: ReadonlyMap<string, Respond<EmulatedAnswer>> = new Map<string, Respond<EmulatedAnswer>>(
  [
    ['fault-500', (dialect) => dialect.error(500)],
    ['fault-503-html', () => htmlAnswer(503, 'Service Temporarily Unavailable')],
    ['fault-502-empty', () => ({ status: 502, body: '' })],
    ['fault-429', (dialect) => dialect.error(429)],
    ['fault-401', (dialect) => dialect.error(401)],
    [
      'fault-truncated',
      (dialect) => ({ ...jsonAnswer(200, {}), body: firstHalf(JSON.stringify(dialect.good())) }),
    ],
    ['fault-empty-200', () => ({ ...jsonAnswer(200, {}), body: '' })],
    ['fault-empty-object', () => jsonAnswer(200, {})],
    ['fault-duplicate-names', (dialect) => ({ ...jsonAnswer(200, {}), body: twice(dialect.good()) })],
    ['fault-contradiction', (dialect) => jsonAnswer(200, { ...dialect.good(), status_code: 503 })],
    ['fault-oversized', (dialect) => jsonAnswer(200, oversized(dialect))],
    ['fault-wrong-type', (dialect) => ({ ...jsonAnswer(200, dialect.good()), headers: HTML_HEADERS })],
    ['fault-route-not-found', (dialect) => dialect.routeNotFound()],
  ],
);

/** Faults below HTTP: each keeps or destroys the raw response itself. */
const WIRE_FAULTS: ReadonlyMap<string, (raw: ServerResponse, dialect: EmulatorDialect) => void> = new Map([
  ['fault-hang', () => {}],
  ['fault-stall', stall],
  ['fault-drip', drip],
  ['fault-reset', reset],
  ['fault-oversized-chunked', oversize],
]);

/**
 * The fault engine of one emulator plug-in. Hanging and slow answers are cut when `app` closes, so that they
 * never delay it.
 */
export function createFaultEngine(app: FastifyInstance, { knows }: EmulatorOptions = {}): FaultEngine {
  const held = new Set<ServerResponse>();
  const failuresById = createIdCounter(FLAKY_IDS_MAX);
  const noteId = app.hasDecorator(NOTE_ID_DECORATOR)
    ? app.getDecorator<(id: string) => void>(NOTE_ID_DECORATOR)
    : () => {};
  app.addHook('preClose', async () => {
    for (const raw of held) raw.destroy();
  });

  return {
    async respond(reply, id, dialect) {
      noteId(id);
      if (knows?.(id) === false) return sendAnswer(reply, dialect.unknown());
      if (isGone(reply)) return reply.hijack();
      const wireFault = WIRE_FAULTS.get(id);
      if (wireFault !== undefined) return breakWire(reply, held, (raw) => wireFault(raw, dialect));
      const slow = SLOW.exec(id);
      if (slow === null) return sendAnswer(reply, messageFor(id, dialect, failuresById));
      await delay(Number(slow[1]), reply.raw, held);
      if (isGone(reply)) return reply.hijack();
      return sendAnswer(reply, jsonAnswer(200, dialect.good()));
    },
  };
}

function messageFor(id: string, dialect: EmulatorDialect, failuresById: IdCounter): EmulatedAnswer {
  const fault = MESSAGE_FAULTS.get(id);
  if (fault !== undefined) return fault(dialect);
  const flaky = FLAKY.exec(id);
  if (flaky !== null) return flakyAnswer(id, Number(flaky[1]), dialect, failuresById);
  const redirect = REDIRECT.exec(id);
  if (redirect !== null) {
    return { status: Number(redirect[1] ?? 302), headers: { location: dialect.redirectPath }, body: '' };
  }
  const retryAfter = RETRY_AFTER.exec(id);
  if (retryAfter !== null) return withRetryAfter(dialect.error(429), retryAfter[1] ?? '1');
  return dialect.answer();
}

/**
 * After the success the count starts over, so that a fixed id behaves the same in every run of a test or
 * demo.
 */
function flakyAnswer(
  id: string,
  failuresMax: number,
  dialect: EmulatorDialect,
  failuresById: IdCounter,
): EmulatedAnswer {
  if (failuresById.increment(id) <= failuresMax) return dialect.error(503);
  failuresById.clear(id);
  return jsonAnswer(200, dialect.good());
}

function withRetryAfter(answer: EmulatedAnswer, delaySeconds: string): EmulatedAnswer {
  const isDate = delaySeconds === 'date';
  const value = isDate ? new Date(Date.now() + 2_000).toUTCString() : delaySeconds;
  return { ...answer, headers: { ...answer.headers, 'retry-after': value } };
}

function breakWire(
  reply: FastifyReply,
  held: Set<ServerResponse>,
  fault: (raw: ServerResponse) => void,
): FastifyReply {
  reply.hijack();
  hold(reply.raw, held);
  fault(reply.raw);
  return reply;
}

function hold(raw: ServerResponse, held: Set<ServerResponse>): void {
  held.add(raw);
  raw.once('close', () => held.delete(raw));
  // A client that leaves in the middle of a body is what these faults provoke: the write error is expected.
  raw.on('error', () => {});
}

/** Resolves after `durationMs`, or as soon as the connection is gone. */
function delay(durationMs: number, raw: ServerResponse, held: Set<ServerResponse>): Promise<void> {
  hold(raw, held);
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      raw.off('close', settle);
      held.delete(raw);
      resolve();
    };
    const timer = setTimeout(settle, durationMs);
    raw.once('close', settle);
  });
}

function stall(raw: ServerResponse, dialect: EmulatorDialect): void {
  const text = JSON.stringify(dialect.good());
  raw.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  raw.write(firstHalf(text));
}

/** Never silent and never complete: catches clients whose body timeout starts over with every chunk. */
function drip(raw: ServerResponse): void {
  raw.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => raw.write(' '), DRIP_INTERVAL_MS);
  raw.once('close', () => clearInterval(timer));
}

function reset(raw: ServerResponse): void {
  const { socket } = raw;
  if (socket !== null && typeof socket.resetAndDestroy === 'function') socket.resetAndDestroy();
  else raw.destroy();
}

/** Without a Content-Length the cap can only be kept by counting. */
function oversize(raw: ServerResponse, dialect: EmulatorDialect): void {
  raw.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  raw.end(JSON.stringify(oversized(dialect)));
}

function oversized(dialect: EmulatorDialect): Record<string, unknown> {
  return { ...dialect.good(), padding: 'x'.repeat(OVERSIZED_PADDING_BYTES) };
}

const isGone = ({ raw }: FastifyReply): boolean => raw.destroyed;

function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

/**
 * JSON in which every member at the top stands twice, null and then good: readers of the first see nothing,
 * readers of the last see nothing wrong.
 */
function twice(payload: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(payload).map(([name, value]) => [
    JSON.stringify(name),
    JSON.stringify(value),
  ]);
  return `{${members.map(([name, value]) => `${name}:null,${name}:${value}`).join()}}`;
}
