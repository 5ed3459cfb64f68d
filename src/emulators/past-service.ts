import { hash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type App, createApp } from '../app/app.ts';
import { loadConfig } from '../config/config.ts';
import { createLogger } from '../platform/logger.ts';
import { makeDirectory } from '../platform/make-directory.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { SINKS } from '../stores/decision-log/registry.ts';
import { toDemoPolicy } from './demo-policy.ts';
import { createPastClients } from './past-answers.ts';
import type { PastClock } from './past-clock.ts';
import { createEmulatorServer, emulatorEnvironment } from './server.ts';
import type { Question } from './traffic-subjects.ts';

/** What the service of a past month is made of. */
interface PastServiceOptions {
  /** Where its history is put: what `DATA_DIR` will name. */
  readonly dataDirectory: string;
  /** For files that are of no use afterwards. */
  readonly scratchDirectory: string;
  readonly idHashKey: string;
  readonly clock: PastClock;
  /** Numbers in [0, 1): how long upstreams take, and whatever else the service draws. */
  readonly random: () => number;
}

/** What a caller says of a decision later. */
interface PastOutcome {
  readonly id: string;
  readonly caller: string;
  readonly label: string;
}

/** What a question of the past was answered with. */
type PastAnswer = Awaited<ReturnType<App['useCases']['decide']>>['decision'];
type Subject = Parameters<App['useCases']['decide']>[0];

/** The service itself, on a clock that somebody else moves, and on upstreams of its own. */
interface PastService {
  /** By the use case that the route calls; in place where nothing has to be waited for. */
  decide(question: Question): PastAnswer | Promise<PastAnswer>;
  /** Says how a decision turned out. Rejects where it does not know the decision. */
  report(outcome: PastOutcome): Promise<void>;
  /** Records that are not written yet, but for those that are being written. */
  waiting(): number;
  /** Puts the policy of the demo into force in place of the one of before. */
  changePolicy(): Promise<void>;
  close(): Promise<void>;
}

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
const PLUG_INS = { providers: PROVIDERS, sinks: SINKS };
const LOOK_AGAIN_MS = 50;
/** Evidence expires within minutes and most ids never return: more of it would only fill the memory. */
const REMEMBERED_MAX = '5000';

/** Starts the service, with the policy of before the change. */
export async function openPastService(options: PastServiceOptions): Promise<PastService> {
  const { clock, random, scratchDirectory } = options;
  const emulators = createEmulatorServer({ providers: PROVIDERS });
  const policyFile = join(scratchDirectory, 'past-policy.yaml');
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
  const { decide, reportOutcome, logUsage } = app.useCases;
  return {
    decide: (question) => {
      const { caller } = question;
      const limits = { maxAgeMs: null, deadlineMs: null, caller };
      const asking = { caller, entryPoint: 'decide', requestId: clock.newId() };
      const settled = decide(toSubject(question), limits, asking);
      return settled instanceof Promise ? settled.then(({ decision }) => decision) : settled.decision;
    },
    report: async ({ id, caller, label }) => {
      // Any other label is refused.
      const said = label as Parameters<NonNullable<typeof reportOutcome>>[0]['label'];
      const untold = { atMs: null, note: null, labelsSeen: null, method: null, acr: null };
      const labels = await reportOutcome?.({ id, label: said, caller, ...untold });
      if (!labels) throw new Error('a label of the past was refused');
    },
    waiting: () => logUsage().reduce((sum, { waiting }) => sum + waiting, 0),
    changePolicy: async () => {
      const before = await hashInForce(app);
      writeFileSync(policyFile, toDemoPolicy());
      while ((await hashInForce(app)) === before) await delay(LOOK_AGAIN_MS);
    },
    close: async () => {
      await app.close();
      await emulators.app.close();
    },
  };
}

function readConfig({ scratchDirectory, dataDirectory, idHashKey }: PastServiceOptions, policyFile: string) {
  makeDirectory(dataDirectory);
  const apiKeysFile = join(scratchDirectory, 'past-keys.yaml');
  // The service wants one; it is asked without.
  const key = { id: 'nobody', sha256: hash('sha256', randomBytes(32)), scopes: ['decide'] };
  writeFileSync(apiKeysFile, JSON.stringify({ keys: [key] }), { mode: 0o600 });
  const env = {
    ...emulatorEnvironment(PROVIDERS, 'http://127.0.0.1:9'),
    API_KEYS_FILE: apiKeysFile,
    POLICY_FILE: policyFile,
    ID_HASH_KEY: idHashKey,
    DATA_DIR: dataDirectory,
    EVENT_LOOP_DELAY_MAX_MS: '0',
    CACHE_ENTRIES_MAX: REMEMBERED_MAX,
    ID_HASH_MEMO_ENTRIES_MAX: REMEMBERED_MAX,
  };
  const loaded = loadConfig(env, PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value;
}

/** What the route makes of the same body. */
function toSubject({ body }: Question): Subject {
  const { telemetry_id: telemetryId, device_id: id = null, device_ids: ids, account_id, ip, action } = body;
  return {
    telemetryId,
    device: ids === undefined ? { kind: 'shared', id } : { kind: 'named', ids: new Map(Object.entries(ids)) },
    accountId: account_id,
    ip,
    action,
  };
}

/** The policy of before the change: it believes an account to be settled later. */
function toEarlierPolicy(): string {
  return toDemoPolicy().replace(/^(\s+value: )60s$/m, '$115m');
}

async function hashInForce(app: App): Promise<string | undefined> {
  const { body } = await app.server.inject('/metrics');
  return /^riskgate_policy_info\{[^}]*hash="([^"]+)"/m.exec(body)?.[1];
}
