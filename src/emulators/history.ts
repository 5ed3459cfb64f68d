import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type App, createApp } from '../app/app.ts';
import { loadConfig } from '../config/config.ts';
import { createLogger } from '../platform/logger.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { SINKS } from '../stores/decision-log/registry.ts';
import { toDemoPolicy } from './demo-policy.ts';
import { POLICY_HOUR, planMonth } from './month.ts';
import { createPastClients } from './past-answers.ts';
import { createPastClock, type PastClock } from './past-clock.ts';
import { createEmulatorServer, emulatorEnvironment } from './server.ts';
import { drawLabel } from './traffic.ts';
import { CALLERS, createSubjects, type Question } from './traffic-subjects.ts';

/** What a history is made of. */
interface HistoryOptions {
  readonly decisions: number;
  /** Where it is put: what `DATA_DIR` will name. */
  readonly dataDirectory: string;
  /** For files that are of no use afterwards. */
  readonly scratchDirectory: string;
  readonly idHashKey: string;
  readonly untilMs: number;
  readonly say: (text: string) => void;
}

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
const PLUG_INS = { providers: PROVIDERS, sinks: SINKS };
/** Until labels are reported, hours: half of them within a day, some after a week. */
const LABEL_HOURS_MAX = 24 * 8;
/** Labels are reported together: each time has to wait until the decisions are written. */
const LABELS_EVERY_HOURS = 24;
const HOUR_MS = 3_600_000;
/** Each waits for the history to find and write. */
const REPORTED_AT_ONCE = 100;
/** Records that may wait for the history; far below what it would drop. */
const WAITING_MAX = 4_000;
const ASKED_BETWEEN_LOOKS = 1_000;

interface Label {
  readonly dueMs: number;
  readonly id: string;
  readonly caller: string;
  readonly label: string;
}

/**
 * Fills a history with a month of decisions: the service itself decides them, with a clock that is moved through the
 * month, on upstreams that answer as the emulators would have. All people in it are invented.
 */
export async function fillHistory(options: HistoryOptions): Promise<void> {
  const { decisions, untilMs, say } = options;
  const startedMs = performance.now();
  const random = createRandom(decisions);
  const hours = planMonth(decisions, untilMs);
  const clock = createPastClock(hours[0]?.startMs ?? untilMs, random);
  const service = await openService(options, clock, random);
  const subjects = createSubjects(random);
  let labels: Label[] = [];
  let asked = 0;
  for (const [hour, { startMs, weather, decisions: count }] of hours.entries()) {
    if (hour === POLICY_HOUR) await service.changePolicy();
    const times = Array.from({ length: count }, () => startMs + random() * HOUR_MS).sort(
      (left, right) => left - right,
    );
    for (const atMs of times) {
      clock.moveTo(atMs);
      const label = await service.decide(subjects.next(weather));
      if (label !== null) labels.push(label);
      asked += 1;
      if (asked % ASKED_BETWEEN_LOOKS === 0) await service.untilWritten(WAITING_MAX);
    }
    clock.moveTo(startMs + HOUR_MS);
    if (hour % LABELS_EVERY_HOURS !== LABELS_EVERY_HOURS - 1) continue;
    await service.untilWritten(0);
    const isDue = ({ dueMs }: Label) => dueMs <= clock.nowMs();
    const due = labels.filter(isDue);
    for (let from = 0; from < due.length; from += REPORTED_AT_ONCE)
      await Promise.all(due.slice(from, from + REPORTED_AT_ONCE).map(service.report));
    labels = labels.filter((label) => !isDue(label));
    if (hour % 168 === 167) say(`${asked} decisions of ${(hour + 1) / 24} days`);
  }
  await service.untilWritten(0);
  await service.close();
  say(`${asked} decisions of a month, in ${Math.round((performance.now() - startedMs) / 1000)} s`);
}

async function openService(options: HistoryOptions, clock: PastClock, random: () => number) {
  const emulators = createEmulatorServer({ providers: PROVIDERS });
  const policyFile = join(options.scratchDirectory, 'past-policy.yaml');
  writeFileSync(policyFile, toEarlierPolicy());
  const { logger } = createLogger('silent', { write: () => {} });
  const app = await createApp({
    config: readConfig(options, policyFile),
    ...PLUG_INS,
    logger,
    version: VERSION,
    clock,
    newId: clock.newId,
    random,
    createClient: createPastClients(clock, random, emulators.app),
  });
  const post = async (url: string, caller: string, body: object) =>
    (
      await app.server.inject({
        method: 'POST',
        url,
        headers: { authorization: `Bearer ${keyOf(caller)}` },
        payload: body,
      })
    ).json<{ readonly decision_id?: string; readonly decision?: string }>();
  return {
    decide: async ({ caller, body, isOwner = false }: Question): Promise<Label | null> => {
      const { decision_id: id, decision } = await post('/v1/decide', caller, body);
      if (id === undefined || decision === undefined) throw new Error('a decision of the past was refused');
      const label = isOwner && decision === 'CHALLENGE' ? 'challenge_passed' : drawLabel(decision, random);
      if (label === null) return null;
      // Challenges end within minutes, what was fraud is known after days.
      const isChallenge = decision === 'CHALLENGE';
      const delayMs = isChallenge ? random() * HOUR_MS : random() ** 3 * LABEL_HOURS_MAX * HOUR_MS;
      return { id, caller, label, dueMs: clock.nowMs() + delayMs };
    },
    report: async ({ id, caller, label }: Label): Promise<void> => {
      const details = label === 'challenge_passed' ? { method: 'otp', acr: 'urn:example:otp' } : {};
      await post(`/v1/decisions/${id}/outcome`, caller, { label, ...details });
    },
    changePolicy: async (): Promise<void> => {
      const before = await hashInForce(app);
      writeFileSync(policyFile, toDemoPolicy());
      while ((await hashInForce(app)) === before) await delay(50);
    },
    untilWritten: async (waitingMax: number): Promise<void> => {
      while ((await countWaiting(app)) > waitingMax) await delay(20);
    },
    close: async (): Promise<void> => {
      await app.close();
      await emulators.app.close();
    },
  };
}

function readConfig({ scratchDirectory, dataDirectory, idHashKey }: HistoryOptions, policyFile: string) {
  mkdirSync(dataDirectory, { recursive: true });
  const apiKeysFile = join(scratchDirectory, 'past-keys.yaml');
  const keys = CALLERS.map((id) => ({ id, sha256: hash('sha256', keyOf(id)), scopes: ['decide'] }));
  writeFileSync(apiKeysFile, JSON.stringify({ keys }), { mode: 0o600 });
  const env = {
    ...emulatorEnvironment(PROVIDERS, 'http://127.0.0.1:9'),
    API_KEYS_FILE: apiKeysFile,
    POLICY_FILE: policyFile,
    ID_HASH_KEY: idHashKey,
    DATA_DIR: dataDirectory,
    EVENT_LOOP_DELAY_MAX_MS: '0',
  };
  const loaded = loadConfig(env, PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value;
}

function keyOf(caller: string): string {
  return `past-${caller}`;
}

/** The policy of before the change: it believes an account to be settled later. */
function toEarlierPolicy(): string {
  return toDemoPolicy().replace(/^(\s+value: )60s$/m, '$115m');
}

const METRIC = (name: string) => new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)$`, 'm');
const WAITING = METRIC('riskgate_decision_log_waiting');

async function countWaiting(app: App): Promise<number> {
  const { body } = await app.server.inject('/metrics');
  return Number(WAITING.exec(body)?.[1] ?? 0);
}

async function hashInForce(app: App): Promise<string | undefined> {
  const { body } = await app.server.inject('/metrics');
  return /^riskgate_policy_info\{[^}]*hash="([^"]+)"/m.exec(body)?.[1];
}

/** Numbers in [0, 1), the same each time (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
