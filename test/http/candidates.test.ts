import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { parseScrape, readValue } from '../support/scrape.ts';
import { createDirectory, createTestApp, startEmulators, type TestApp, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);
const GOOD = { telemetry_id: 'allow', device_id: 'active', account_id: 'canary-account' };

const LIVE = `policy: live
otherwise: ALLOW
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: UNKNOWN_ID}
`;
const STRICTER = `policy: stricter
otherwise: CHALLENGE
rules:
  - {id: unknown-id, when: '!stytch.found', verdict: BLOCK, reason: UNKNOWN_ID}
`;
/** Reads what the live one does not. */
const reading = (fetch: boolean) => `policy: reading
candidate: {fetch: ${fetch}}
otherwise: ALLOW
rules:
  - {id: first-use, when: 'telemetry.uses == 1', verdict: CHALLENGE, reason: FIRST_USE}
  - {id: seen-often, when: 'activity.account.decisions_1h > 0', verdict: BLOCK, reason: SEEN_OFTEN}
`;

async function open(
  t: Test,
  candidates: readonly string[],
  { policy = LIVE, env = {} }: { policy?: string; env?: Record<string, string> } = {},
) {
  const directory = createDirectory(t);
  const paths = candidates.map((text, place) => {
    const path = join(directory, `candidate-${place}.yaml`);
    writeFileSync(path, text);
    return path;
  });
  const app = await createTestApp(t, {
    emulators,
    policy,
    env: { POLICY_CANDIDATES: paths.join(', '), ...env },
  });
  return { app, paths };
}

async function recordOf(app: TestApp, id: string): Promise<DecisionRecord> {
  let found: DecisionRecord | undefined;
  await until('the decision is recorded', async () => {
    const { status, json } = await app.ask<DecisionRecord>('GET', `/v1/decisions/${id}`);
    found = json;
    return status === 200;
  });
  if (found === undefined) throw new Error('it was found');
  return found;
}

/** What candidates came to for one decision, by their names. */
async function ask(app: TestApp, body: object = GOOD) {
  const { json } = await app.decide(body);
  const { candidates = [], decision, policy } = await recordOf(app, json.decision_id);
  t.equal(decision, json.decision, 'the record has the verdict that was answered');
  t.same(policy, json.policy, 'and the policy that answered');
  const came = Object.fromEntries(candidates.map((each) => [each.policy.id, each]));
  return { answer: json, came };
}

t.test('records what each candidate comes to, and answers by the live policy', async (t) => {
  const { app } = await open(t, [STRICTER, LIVE]);
  const { answer, came } = await ask(app);
  t.equal(answer.decision, 'ALLOW');
  t.match(came, { stricter: { decision: 'CHALLENGE', reasons: [], not_judged: null } });
  t.same(Object.keys(came), ['stricter'], 'the live policy is no candidate');
  const blocked = await ask(app, { ...GOOD, telemetry_id: 'absent' });
  t.equal(blocked.answer.decision, 'BLOCK');
  t.match(blocked.came, { stricter: { decision: 'BLOCK', reasons: [{ code: 'UNKNOWN_ID' }] } });
  const { hash } = came['stricter']?.policy ?? { hash: '' };
  const { json } = await app.ask<{ totals: { counts: object } }>(
    'GET',
    '/v1/stats?window=1h&step=1h&group_by=transition',
  );
  t.same(json.totals.counts, { [`${hash}/ALLOW/CHALLENGE`]: 1, [`${hash}/BLOCK/BLOCK`]: 1 });
  const found = await app.ask<{ decisions: { decision_id: string }[] }>(
    'GET',
    `/v1/decisions?transition=${encodeURIComponent(`${hash}/ALLOW/CHALLENGE`)}`,
  );
  t.same(
    found.json.decisions.map(({ decision_id: id }) => id),
    [answer.decision_id],
  );
  const scrape = parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
  t.equal(readValue(scrape, 'riskgate_candidate_results_total', { result: 'judged' }), 2);
  t.equal(readValue(scrape, 'riskgate_candidate_info', { policy: 'stricter', hash }), 1);
});

t.test('does not judge what nobody asked for, and does not guess it', async (t) => {
  const { app } = await open(t, [reading(false)]);
  const { came } = await ask(app);
  t.match(came, {
    reading: {
      decision: null,
      reasons: [],
      not_judged: {
        why: 'not_fetched',
        signals: ['activity.account.decisions_1h', 'telemetry.age_seconds'].slice(0, 1),
      },
    },
  });
  t.match(came['reading']?.not_judged?.signals, /telemetry\.uses/);
  const scrape = parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
  t.equal(readValue(scrape, 'riskgate_candidate_results_total', { result: 'not_fetched' }), 1);
  t.equal(readValue(scrape, 'riskgate_custody_results_total', { result: 'first_use' }), 0, 'nothing is kept');
});

t.test('judges with fetch as if the candidate had been in force', async (t) => {
  const { app } = await open(t, [reading(true)]);
  const direct = await createTestApp(t, { emulators, policy: reading(true) });
  const verdicts: unknown[] = [];
  const expected: unknown[] = [];
  for (let time = 0; time < 3; time += 1) {
    const { answer, came } = await ask(app);
    t.equal(answer.decision, 'ALLOW');
    verdicts.push([came['reading']?.decision, came['reading']?.reasons]);
    const { json } = await direct.decide(GOOD);
    expected.push([json.decision, (await recordOf(direct, json.decision_id)).reasons]);
  }
  t.same(verdicts, expected);
  t.same(
    verdicts.map((each) => (each as unknown[])[0]),
    ['CHALLENGE', 'BLOCK', 'BLOCK'],
    'a decision does not count itself',
  );
});

t.test('uses a telemetry id once, however many policies read custody', async (t) => {
  const other = reading(true).replace('policy: reading', 'policy: other');
  const live = reading(true).replace('policy: reading', 'policy: live');
  for (const policy of [LIVE, live]) {
    const { app } = await open(t, [reading(true), other], { policy });
    await ask(app);
    const { came } = await ask(app);
    const scrape = parseScrape((await app.ask('GET', '/metrics', { key: null })).text);
    for (const result of ['first_use', 'repeated'])
      t.equal(readValue(scrape, 'riskgate_custody_results_total', { result }), 1, result);
    t.match(came, { reading: { decision: 'BLOCK' }, other: { decision: 'BLOCK' } });
  }
});

t.test('starts without a candidate that is broken, and takes it when it is mended', async (t) => {
  const { app, paths } = await open(t, ['policy: [']);
  const [path = ''] = paths;
  const ready = async () => (await app.ask<{ files_differing: string[] }>('GET', '/readyz')).json;
  t.same((await ask(app)).came, {});
  t.same((await ready()).files_differing, ['policy_candidates']);
  t.ok(app.events().includes('policy_candidate.refused'));
  writeFileSync(path, STRICTER);
  await until('it is taken', () => app.events().includes('policy_candidate.reloaded'));
  t.same((await ready()).files_differing, []);
  t.match((await ask(app)).came, { stricter: { decision: 'CHALLENGE' } });
  writeFileSync(path, 'policy: [');
  await until(
    'it is refused',
    () => app.events().filter((one) => one === 'policy_candidate.refused').length > 1,
  );
  t.match((await ask(app)).came, { stricter: { decision: 'CHALLENGE' } }, 'the last good one goes on');
});

t.test('has the record whole before the answer where a sink is strict', async (t) => {
  const { app } = await open(t, [STRICTER], {
    env: { DECISION_LOG_DELIVERY: 'strict', DATA_DIR: createDirectory(t) },
  });
  const { json } = await app.decide(GOOD);
  const { json: record } = await app.ask<DecisionRecord>('GET', `/v1/decisions/${json.decision_id}`);
  t.match(record.candidates, [{ policy: { id: 'stricter' }, decision: 'CHALLENGE' }]);
});

t.test('delivers what waits for candidates before it closes', async (t) => {
  const lines: string[] = [];
  const directory = createDirectory(t);
  const path = join(directory, 'candidate.yaml');
  writeFileSync(path, STRICTER);
  const app = await createTestApp(t, {
    emulators,
    policy: LIVE,
    env: { POLICY_CANDIDATES: path, DECISION_LOG: 'stdout' },
    write: (text) => lines.push(text),
  });
  await Promise.all([app.decide(GOOD), app.decide(GOOD)]);
  await app.close();
  t.equal(lines.join('').match(/"stricter"/g)?.length, 2);
});
