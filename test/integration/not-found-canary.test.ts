import t, { type Test } from 'tap';
import type { Answer, DecisionBody } from '../support/answer.ts';
import { createTestApp, KEYS, startEmulators, type TestApp, until } from '../support/test-app.ts';

interface ReadyBody {
  readonly status: string;
  readonly suspect: readonly string[];
}

interface World {
  readonly app: TestApp;
  /** The same upstreams, judged by the strict policy. */
  readonly strict: TestApp;
  /** Turns the environment into another one, in which nobody is known, and back. */
  setWrong(isWrong: boolean): void;
}

async function open(t: Test, env: Readonly<Record<string, string>> = {}): Promise<World> {
  let isWrong = false;
  const emulators = await startEmulators(t, { stytch: { knows: () => !isWrong } });
  const app = await createTestApp(t, { emulators, env });
  const strict = await createTestApp(t, { emulators, env: { ...env, POLICY_FILE: 'policies/strict.yaml' } });
  return {
    app,
    strict,
    setWrong: (value) => {
      isWrong = value;
    },
  };
}

let serial = 0;
const nextSerial = () => {
  serial += 1;
  return serial;
};
const goodId = () => `fault-slow-0-canary-${nextSerial()}`;
const forgedId = () => `forged-${nextSerial()}`;

/** As many logins with fresh ids, from as many networks as said; without one, no address is named. */
async function logIn(
  app: TestApp,
  count: number,
  toId: () => string,
  networks: number | null,
  key: string = KEYS.all,
): Promise<Answer<DecisionBody>[]> {
  const answers: Answer<DecisionBody>[] = [];
  for (let index = 0; index < count; index += 1) {
    const ip = networks === null ? {} : { ip: `10.${networks}.${index % networks}.7` };
    const body = { telemetry_id: toId(), device_ids: { prefactor: 'active' }, ...ip };
    answers.push(await app.decide(body, { key }));
  }
  return answers;
}

async function suspects(app: TestApp): Promise<readonly string[]> {
  const { status, json } = await app.ask<ReadyBody>('GET', '/readyz');
  t.match({ status, ready: json.status }, { status: 200, ready: 'ready' }, 'it costs no readiness');
  return json.suspect;
}

function suspectLines(app: TestApp): unknown[] {
  return app.logs.filter(({ event }) => event === 'provider.suspect');
}

async function logInUntilSuspect(app: TestApp, networks: number | null): Promise<void> {
  await until('the provider is suspect', async () => {
    await logIn(app, 5, goodId, networks);
    return (await suspects(app)).includes('stytch');
  });
}

for (const [where, networks] of [
  ['many networks', 12],
  ['one caller that names no address', null],
] as const) {
  t.test(`doubts an environment that suddenly knows nobody, asked from ${where}`, async (t) => {
    const { app, setWrong } = await open(t);
    await logIn(app, 24, goodId, networks);
    t.same(await suspects(app), []);
    setWrong(true);
    t.match((await logIn(app, 1, goodId, networks))[0]?.json, { decision: 'BLOCK' }, 'one is no evidence');
    await logInUntilSuspect(app, networks);

    const [answer] = await logIn(app, 1, goodId, networks);
    t.match(answer?.json, { decision: 'CHALLENGE', provider_suspect: ['stytch'] });
    t.match(answer?.json.providers.stytch, { outcome: 'not_found', suspect: true });
    t.notOk('suspect' in (answer?.json.providers.prefactor ?? {}));
    t.equal(answer?.json.reasons[0]?.code, 'TELEMETRY_NOT_FOUND_SUSPECT');
    t.equal(answer?.json.expires_at, answer?.json.decided_at, 'what is in doubt is not kept');
    const missing = await app.decide({ device_ids: { prefactor: 'active' } });
    t.equal(missing.json.decision, 'BLOCK', 'leaving the id out is beyond doubt');
    t.equal(suspectLines(app).length, 1);
    t.match(suspectLines(app), [{ level: 'error', provider: 'stytch', cause: 'known_ids_not_found' }]);

    setWrong(false);
    const [recovered] = await logIn(app, 1, goodId, networks);
    t.match(recovered?.json, { decision: 'ALLOW', providers: { stytch: { outcome: 'ok' } } });
    t.notOk('provider_suspect' in (recovered?.json ?? {}));
    t.same(await suspects(app), []);
    t.ok(app.events().includes('provider.trusted'));
    t.equal((await logIn(app, 1, forgedId, networks))[0]?.json.decision, 'BLOCK');
  });
}

t.test('blocks by the strict policy although the provider is suspect', async (t) => {
  const { strict, setWrong } = await open(t);
  await logIn(strict, 24, goodId, 12);
  setWrong(true);
  await logInUntilSuspect(strict, 12);
  const [answer] = await logIn(strict, 1, goodId, 12);
  t.match(answer?.json, { decision: 'BLOCK', provider_suspect: ['stytch'] });
});

t.test('forgets the answers that have come into doubt', async (t) => {
  const { app, setWrong } = await open(t, { STYTCH_NOT_FOUND_TTL_SECONDS: '3600' });
  await logIn(app, 24, goodId, 12);
  setWrong(true);
  const lost: string[] = [];
  const noteId = () => {
    lost.push(goodId());
    return lost.at(-1) ?? '';
  };
  await logIn(app, 30, noteId, 12);
  await until('the provider is suspect', async () => (await suspects(app)).length > 0);
  setWrong(false);
  for (const id of lost) {
    const { json } = await app.decide({ telemetry_id: id, device_ids: { prefactor: 'active' } });
    t.equal(json.decision, 'ALLOW');
  }
});

for (const [who, networks, key] of [
  ['one network', 1, KEYS.all],
  ['one caller', null, KEYS.decide],
  ['200 networks', 200, KEYS.all],
] as const) {
  t.test(`is not tripped by a burst of forged ids from ${who}`, async (t) => {
    const { app } = await open(t);
    await logIn(app, 24, goodId, 12);
    const answers = await logIn(app, 400, forgedId, networks, key);
    t.ok(answers.every(({ json }) => json.decision === 'BLOCK'));
    t.same(await suspects(app), []);
    t.same(suspectLines(app), []);
    const [other] = await logIn(app, 1, forgedId, 12);
    t.equal(other?.json.decision, 'BLOCK');
    t.equal((await logIn(app, 1, goodId, 12))[0]?.json.decision, 'ALLOW');
  });
}

t.test('does not take a burst after a start, before anyone is known, for its own mistake', async (t) => {
  const { app } = await open(t);
  await logIn(app, 300, forgedId, 1);
  t.same(await suspects(app), []);
});

t.test('doubts an environment that has known nobody since the start', async (t) => {
  const { app, setWrong } = await open(t);
  setWrong(true);
  await logIn(app, 60, goodId, 12);
  t.same(await suspects(app), ['stytch']);
  t.match(suspectLines(app), [{ cause: 'nothing_ever_found' }]);
  setWrong(false);
  await logIn(app, 1, goodId, 12);
  t.same(await suspects(app), []);
});

t.test('counts neither missing ids nor what it remembers', async (t) => {
  const { app } = await open(t);
  await logIn(app, 24, goodId, 12);
  await app.decide({ telemetry_id: 'nobody' });
  app.emulators.resetCallCounts();
  for (let index = 0; index < 100; index += 1) {
    await app.decide({ ip: `192.0.${index}.1` });
    await app.decide({ telemetry_id: 'nobody', ip: `192.0.${index}.1` });
  }
  t.equal(app.emulators.callCounts()['stytch'], 0, 'not even a recheck');
});
