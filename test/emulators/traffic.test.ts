import t, { type Test } from 'tap';
import { fillLists } from '../../src/emulators/demo-lists.ts';
import { toDemoPolicy } from '../../src/emulators/demo-policy.ts';
import { PHASES } from '../../src/emulators/traffic.ts';
import {
  CALLERS,
  createSubjects,
  type Question,
  type Weather,
} from '../../src/emulators/traffic-subjects.ts';
import { createSeededRandom } from '../../src/platform/seeded-random.ts';
import { createManualClock, createTestApp, KEYS, until } from '../support/test-app.ts';

const QUESTIONS = 100;

/**
 * What the real service decides about the traffic of some weather: shares of verdicts, and of degraded
 * decisions.
 */
async function decideAll(t: Test, weather: Weather) {
  const app = await createTestApp(t, { env: { STYTCH_TIMEOUT_MS: '5000', DECISION_DEADLINE_MS: '10000' } });
  const subjects = createSubjects(createSeededRandom(7));
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1 / QUESTIONS;
  };
  // One after the other, as sessions come back to what they have bound.
  for (let asked = 0; asked < QUESTIONS; asked += 1) {
    const { caller, body } = subjects.next(weather);
    t.ok(CALLERS.some((known) => known === caller));
    const { status, json } = await app.decide(body);
    t.equal(status, 200);
    count(json.decision);
    if (json.degraded) count('degraded');
    for (const { code } of json.reasons) count(code);
  }
  const share = (name: string) => counts[name] ?? 0;
  return share;
}

t.test('is mostly harmless when it is calm, and not only', async (t) => {
  const share = await decideAll(t, 'calm');
  t.ok(share('ALLOW') > 0.75, `${share('ALLOW')}`);
  t.ok(share('CHALLENGE') > 0.02);
  t.ok(share('BLOCK') > 0.02);
  t.ok(share('degraded') < 0.05);
  t.equal(share('TELEMETRY_REPLAYED'), 0, 'nobody uses what belongs to another');
});

t.test('is blocked when it attacks', async (t) => {
  const share = await decideAll(t, 'attack');
  t.ok(share('BLOCK') > 0.6, `${share('BLOCK')}`);
  t.ok(share('TELEMETRY_NOT_FOUND') > 0.3);
});

t.test('is degraded in an outage, and then hardly anything is an ALLOW', async (t) => {
  const share = await decideAll(t, 'outage');
  t.ok(share('degraded') > 0.9, `${share('degraded')}`);
  t.ok(share('ALLOW') < 0.1, `${share('ALLOW')}`);
});

t.test('makes every rule about activity speak, meets who is on lists, and lets an owner pass', async (t) => {
  const clock = createManualClock();
  const app = await createTestApp(t, {
    clock,
    policy: toDemoPolicy(),
    env: { STYTCH_TIMEOUT_MS: '5000', DECISION_DEADLINE_MS: '10000' },
  });
  await fillLists(`http://127.0.0.1:${await app.listen()}`, KEYS.admin);
  const subjects = createSubjects(createSeededRandom(7));
  const codes = new Set<string>();
  const challenged: { readonly question: Question; readonly id: string }[] = [];
  const askMany = async (weather: Weather, number: number): Promise<number> => {
    let allowed = 0;
    for (let asked = 0; asked < number; asked += 25) {
      const questions = Array.from({ length: 25 }, () => subjects.next(weather));
      const answers = await Promise.all(questions.map(({ body }) => app.decide(body)));
      answers.forEach(({ json }, place) => {
        const question = questions[place];
        if (json.decision === 'ALLOW') allowed += 1 / number;
        for (const { code } of json.reasons) codes.add(code);
        const isChallenged = json.decision === 'CHALLENGE' && json.reasons[0]?.code === 'NEW_DEVICE';
        if (question?.isOwner && isChallenged) challenged.push({ question, id: json.decision_id });
      });
    }
    return allowed;
  };
  await askMany('calm', 300);
  clock.advance(61_000);
  await askMany('attack', 250);
  const allowed = await askMany('calm', 300);
  for (const code of ['DEVICE_MANY_ACCOUNTS', 'ACCOUNT_MANY_DEVICES', 'ADDRESS_MANY_NOT_FOUND', 'NEW_DEVICE'])
    t.ok(codes.has(code), code);
  for (const code of ['LISTED_BLOCKED', 'LISTED_WATCHED']) t.ok(codes.has(code), code);
  t.ok(allowed > 0.6, `${allowed} of honest people are let in after an attack`);
  const [owner] = challenged;
  if (owner === undefined) throw new Error('nobody has a new device');
  const outcome = { url: `/v1/decisions/${owner.id}/outcome` };
  const tell = () => app.decide({ label: 'challenge_passed', method: 'otp' }, outcome);
  await until('the decision is in the log', async () => (await tell()).status < 300);
  const { json } = await app.decide(owner.question.body);
  t.equal(json.decision, 'ALLOW', 'who has passed a challenge on a new device is let in');
});

t.test('has an attack, an outage and a recovery in each round', async (t) => {
  t.match(
    PHASES.map(({ weather }) => weather),
    ['calm', 'attack', 'calm', 'outage', 'calm'],
  );
});
