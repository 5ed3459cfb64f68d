import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { EMULATED_BROWSER } from '../../src/providers/stytch/emulator-payloads.ts';
import { loadService } from '../../test/differential/service.ts';
import { createEnvironment, KEYS, portOf } from '../../test/support/test-app.ts';

/** Answers the request of this number. */
export type Workload = (serial: number) => Promise<string>;

/** More than a burst has requests, so that nothing that remembers the latest subject alone helps. */
const SUBJECTS = 200;
const toBody = (number: number) =>
  JSON.stringify({
    telemetry_id: `fault-slow-0-${number}`,
    device_id: `fault-slow-0-${number}`,
    action: 'login',
    account_id: `acct-${number}`,
    ip: EMULATED_BROWSER.ip,
    user_agent: EMULATED_BROWSER.userAgent,
  });
const HEADERS = {
  authorization: `Bearer ${KEYS.decide}`,
  'content-type': 'application/json',
  // The caller's own, so that the service makes one id for each decision.
  'x-request-id': 'guard',
};

/**
 * Warm decisions by the service of the checkout at `root`, as it comes: metrics, the log in memory, and the
 * evidence about every subject at hand. `onDecision` is called within each decision; `more` is added to its
 * environment.
 */
export async function createDecideWorkload(
  root: string,
  onDecision: () => void,
  more: Readonly<Record<string, string>> = {},
  subjects = SUBJECTS,
): Promise<Workload> {
  const bodies = Array.from({ length: subjects }, (_, number) => toBody(number));
  const { createApp, loadConfig, createLogger, providers, sinks } = await loadService(root);
  const emulators = createEmulatorServer({ providers: PROVIDERS });
  await emulators.app.listen({ host: '127.0.0.1', port: 0 });
  const origin = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-guard-'));
  // Nothing expires meanwhile, and a busy machine is not too late.
  const patience = PROVIDERS.flatMap(({ id }) => [
    [`${id.toUpperCase()}_OK_TTL_SECONDS`, '3600'] as const,
    [`${id.toUpperCase()}_TIMEOUT_MS`, '10000'] as const,
  ]);
  const env = {
    ...createEnvironment(directory, origin),
    ...Object.fromEntries(patience),
    DECISION_DEADLINE_MS: '10000',
    POLICY_FILE: join(import.meta.dirname, 'policy.yaml'),
    EVENT_LOOP_DELAY_MAX_MS: '0',
    ...more,
  };
  const loaded = loadConfig(env, { providers, sinks });
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const { server } = await createApp({
    config: loaded.value,
    providers,
    sinks,
    logger: createLogger('info', { write: () => {} }).logger,
    version: '0.0.0-guard',
    newId: createIds(onDecision),
  });
  await server.ready();
  const decide: Workload = async (serial) => {
    const payload = bodies[serial % subjects] ?? '';
    const answer = await server.inject({ method: 'POST', url: '/v1/decide', headers: HEADERS, payload });
    if (!answer.body.includes('"decision":"ALLOW"')) throw new Error(`no ALLOW: ${answer.body}`);
    return answer.body;
  };
  for (let serial = 0; serial < subjects; serial += 1) await decide(serial);
  rmSync(directory, { recursive: true, force: true });
  await emulators.app.close();
  return decide;
}

function createIds(onId: () => void): () => string {
  let count = 0;
  return () => {
    onId();
    count += 1;
    return `01980000-0000-7000-8000-${String(count).padStart(12, '0')}`;
  };
}
