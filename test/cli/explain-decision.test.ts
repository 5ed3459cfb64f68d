import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compilePolicyText } from '../../src/app/check-file.ts';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { sqlite } from '../../src/stores/decision-log/sqlite/index.ts';
import { uuidAt } from '../support/decision-records.ts';
import { FLAGS, recordOf } from '../support/judged-records.ts';
import { openSink } from '../support/open-sink.ts';
import { createReadApi } from '../support/read-api.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory, KEYS, portOf } from '../support/test-app.ts';

const TEXT = `policy: mine
otherwise: ALLOW
parameters:
  oldest: { type: duration, value: 5m }
rules:
  - {id: old, when: 'stytch.age_seconds > params.oldest', verdict: CHALLENGE, reason: OLD}
  - {id: revoked, when: 'prefactor.status == "revoked"', verdict: BLOCK, reason: REVOKED}
  - {id: vpn, when: 'mobilerun.supported', verdict: BLOCK, reason: VPN, on_unknown: IGNORE}
`;
const NOW_MS = Date.parse('2026-03-04T05:06:07.089Z');
const ID = uuidAt(NOW_MS, 1);
const LABEL = { label: 'fraud', at: '2026-03-05T00:00:00.000Z', note: null, caller: 'shop' } as const;

function createRecord(): DecisionRecord {
  const compiled = compilePolicyText(TEXT, PROVIDERS, null);
  if (!compiled.ok) throw new Error(compiled.mistakes.join());
  const old = { outcome: 'ok', signals: { found: true, age_seconds: 400 } } as const;
  const lost = { outcome: 'timeout', signals: null } as const;
  const record = recordOf(compiled.value, { evidence: [old, lost, lost], request: FLAGS });
  const contradictions = { travel: true, because: { travel: { distance_km: 900, minutes: 30 } } };
  return { ...record, decision_id: ID, contradictions };
}

async function createHistory(t: Test, hasText: boolean): Promise<string> {
  const directory = createDirectory(t);
  const settings = { dataDirectory: directory, retentionMs: 1e14, labelledKeptMs: 0, bytesMax: 2 ** 30 };
  const { sink, policies, reader, close } = await openSink(t, sqlite, settings);
  const record = createRecord();
  t.equal(await sink.append({ number: 1, records: [record] }), true);
  await reader?.label(ID, LABEL, true);
  if (hasText) await policies?.keep(record.policy.hash, TEXT);
  await close();
  return directory;
}

t.test('shows a decision of a history with its rules, values and what was not known', async (t) => {
  const env = { DATA_DIR: await createHistory(t, true) };
  const { code, text } = await runCommand(['explain', ID], { env });
  t.equal(code, 0);
  t.match(text, new RegExp(`^CHALLENGE, degraded {2}${ID} of `));
  for (const line of [
    '  OLD (old)',
    '  REVOKED (revoked, not certain)',
    '  waived: VPN (vpn)',
    '  prefactor timeout (miss, 0 ms old)',
    '  mobilerun timeout: vpn',
    '  travel: contradict',
    '      distance_km = 900',
    '  true    old → CHALLENGE',
    '    when stytch.age_seconds > params.oldest',
    '      stytch.age_seconds = 400',
    '      params.oldest = 5m',
    '      prefactor.status: prefactor timeout',
    '  unknown vpn, waived: mobilerun timeout',
  ])
    t.ok(text.split('\n').includes(line), line);
  t.match(text, /by decide, labelled fraud/);
  const { json } = await runCommand(['explain', ID.toUpperCase(), '--json'], { env });
  t.match(json, {
    decision_id: ID,
    label: 'fraud',
    policy_known: true,
    rules: [
      {
        rule: 'old',
        values: [{ name: 'stytch.age_seconds', value: 400 }],
        condition: /oldest/,
        waived: false,
      },
    ],
    contradictions: [{ id: 'travel', result: 'true' }],
    unknown: [{ what: 'mobilerun timeout', rules: ['vpn'] }],
  });
});

t.test('says of a file that is no export what it is expected to be', async (t) => {
  const file = join(createDirectory(t), 'service.log');
  const explain = () => runCommand(['explain', ID, '--file', file]);
  writeFileSync(file, `{"event":"decision.made","decision_id":"${ID}"}\n`);
  t.match(await explain(), {
    code: 2,
    text: '',
    err: /service\.log is no export of decisions: no line is a record .*An export is NDJSON/,
  });
  t.notMatch((await explain()).err, /there is no decision/);
  const other = { ...createRecord(), decision_id: uuidAt(NOW_MS, 2) };
  writeFileSync(file, `${JSON.stringify(other)}\nno record\n`);
  t.match(await explain(), { code: 2, err: /there is no decision .*, but 1 lines are no records/ });
  writeFileSync(file, `${JSON.stringify(other)}\n`);
  t.match(await explain(), { code: 2, err: new RegExp(`there is no decision ${ID}\n$`) });
  writeFileSync(file, '');
  t.match(await explain(), { code: 2, err: new RegExp(`there is no decision ${ID}\n$`) });
});

t.test('takes the policy from a file where its text is not kept', async (t) => {
  const env = { DATA_DIR: await createHistory(t, false) };
  const without = await runCommand(['explain', ID], { env });
  t.match(without.text, /The text of its policy is not known/);
  t.notMatch(without.text, /when /);
  const file = join(env.DATA_DIR, 'policy.yaml');
  writeFileSync(file, TEXT);
  t.match((await runCommand(['explain', ID, '--policy', file], { env })).text, /when stytch\.age_seconds/);
  writeFileSync(file, `${TEXT}# another\n`);
  t.notMatch((await runCommand(['explain', ID, '--policy', file], { env })).text, /when /);
});

t.test('finds a decision in a file', async (t) => {
  const file = join(createDirectory(t), 'decisions.ndjson');
  writeFileSync(file, `${JSON.stringify(createRecord())}\n`);
  t.match(await runCommand(['explain', ID, '--file', file]), { code: 0, text: /^CHALLENGE/ });
  const env = { DECISION_LOG: 'file', DECISION_LOG_FILE: file };
  t.match(await runCommand(['explain', ID], { env }), { code: 0 });
  t.match(await runCommand(['explain', uuidAt(NOW_MS, 2)], { env }), {
    code: 2,
    err: /there is no decision/,
  });
});

t.test('asks a service', async (t) => {
  const compiled = compilePolicyText(TEXT, PROVIDERS, null);
  if (!compiled.ok) throw new Error(compiled.mistakes.join());
  const api = await createReadApi(t, { policy: () => compiled.value });
  await api.log.append({
    number: 1,
    records: [
      createRecord(),
      { ...createRecord(), decision_id: uuidAt(1, 1), policy: { id: 'x', hash: 'sha256:gone' } },
    ],
  });
  const url = `http://127.0.0.1:${await api.listen()}`;
  const env = { RISKGATE_API_KEY: KEYS.read };
  const { code, text } = await runCommand(['explain', ID, '--url', url], { env });
  t.equal(code, 0);
  t.match(
    text,
    /when stytch\.age_seconds > params\.oldest\n {6}stytch\.age_seconds = 400\n {6}params\.oldest = 5m/,
  );
  t.match(
    (await runCommand(['explain', uuidAt(1, 1), '--url', url], { env })).text,
    /text of its policy is not known/,
  );
  const ask = (...args: readonly string[]) => runCommand(['explain', ...args], { env });
  t.match(await ask(uuidAt(NOW_MS, 2), '--url', url), { code: 2, err: /there is no decision/ });
  t.match(await ask(ID, '--url', 'nowhere'), { code: 2, err: /is no http/ });
  t.match(await runCommand(['explain', ID, '--url', url], {}), { code: 2, err: /RISKGATE_API_KEY/ });
  const wrong = { env: { RISKGATE_API_KEY: 'wrong' } };
  t.match(await runCommand(['explain', ID, '--url', url], wrong), { code: 3, err: /answers 401/ });
});

t.test('says what a service does that is none', async (t) => {
  const server = createServer((_, response) => void response.end('{"kind":"decision"}'));
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const env = { RISKGATE_API_KEY: KEYS.read };
  const url = `http://127.0.0.1:${portOf(server.address())}`;
  t.match(await runCommand(['explain', ID, '--url', url], { env }), { code: 3, err: /no decision/ });
  server.close();
  server.closeAllConnections();
  t.match(await runCommand(['explain', ID, '--url', url], { env }), { code: 3, err: /does not answer/ });
});

t.test('takes either a decision or a witness', async (t) => {
  for (const args of [['explain'], ['explain', ID, '--witness', 'w.json']])
    t.match(await runCommand(args), { code: 2, err: /either the id of a decision or --witness/ });
  t.match(await runCommand(['explain', 'no-id'], { env: { DATA_DIR: '/nowhere' } }), {
    code: 2,
    err: /no decision/,
  });
});
