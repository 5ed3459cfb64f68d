import t from 'tap';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { createReadApi } from '../support/read-api.ts';
import { createTestApp, startEmulators, until } from '../support/test-app.ts';

const emulators = await startEmulators(t);

interface Detail {
  readonly id: string;
  readonly rules: readonly {
    rule: string;
    result: string;
    condition: string | null;
    parameters: readonly { readonly name: string; readonly value: string }[];
    verdict: string | null;
  }[];
  readonly policy_known: boolean;
  readonly without: {
    readonly available: boolean;
    readonly why: string | null;
    readonly providers: readonly {
      provider: string;
      decision: string;
      changes: boolean;
      reasons: readonly { code: string }[];
    }[];
  };
}

t.test('explains a decision: rules with their text, evidence, and what each provider changed', async (t) => {
  const app = await createTestApp(t, { emulators });
  const blocked = await app.decide({ telemetry_id: 'block', device_id: 'active', account_id: 'acct_42' });
  const { status, json } = await app.ask<Detail>('GET', `/v1/decisions/${blocked.json.decision_id}`);
  t.equal(status, 200);
  t.match(json, {
    decision_id: blocked.json.decision_id,
    decision: 'BLOCK',
    caller: 'all',
    entry_point: 'decide',
    providers: {
      stytch: { outcome: 'ok', cache: 'miss', cache_level: null, age_ms: Number, signals: { found: true } },
    },
    policy_known: true,
    label: null,
    labels: [],
  });
  const fired = json.rules.filter(({ result }) => result === 'true');
  t.ok(fired.length > 0);
  for (const { condition, verdict } of json.rules)
    t.match([condition, verdict], [/\S/, /ALLOW|CHALLENGE|BLOCK/]);
  t.same(json.rules.find(({ rule }) => rule === 'telemetry-stale')?.parameters, [
    { name: 'telemetry_stale_after', value: '1h' },
  ]);
  t.same(json.rules.find(({ rule }) => rule === 'telemetry-missing')?.parameters, []);
  t.match(json.without, { available: true, why: null });
  t.same(
    json.without.providers.map(({ provider, decision, changes }) => [provider, decision, changes]),
    [
      ['stytch', 'CHALLENGE', true],
      ['mobilerun', 'BLOCK', false],
      ['prefactor', 'BLOCK', false],
    ],
  );
  t.notMatch(JSON.stringify(json), /acct_42/);
});

t.test(
  'knows the policy of a decision after another came into force, and says so when it does not',
  async (t) => {
    const policies = { default: loadPolicyFile('default.yaml'), strict: loadPolicyFile('strict.yaml') };
    const named = (policy: CompiledPolicy, hash: string): CompiledPolicy => ({ ...policy, hash });
    let inForce = named(policies.default, 'sha256:1');
    const api = await createReadApi(t, { policy: () => inForce });
    const [known, unknown] = [
      createDecisionRecord(Date.now(), 1),
      createDecisionRecord(Date.now(), 2, { policy: { id: 'default', hash: 'sha256:0' } }),
    ];
    await api.log.append({ number: 1, records: [known, unknown] });
    const first = await api.get(`/v1/decisions/${known.decision_id}`);
    t.equal(first.json.policy_known, true);
    inForce = named(policies.strict, 'sha256:2');
    const etag = String(first.headers['etag']);
    const later = await api.get(`/v1/decisions/${known.decision_id}`, { 'if-none-match': etag });
    t.equal(later.status, 200, 'the answer may be another under another policy');
    t.equal(later.json.policy_known, true);
    t.match(
      later.json.without,
      { available: false, why: /not recorded|its own decision/, providers: [] },
      'this record is made up',
    );
    const { json } = await api.get(`/v1/decisions/${unknown.decision_id}`);
    t.match(json, { policy_known: false, without: { available: false, why: /not kept/, providers: [] } });
    t.ok(json.rules.every(({ condition }: { condition: string | null }) => condition === null));
  },
);

t.test('finds a decision by identifiers, and keeps them out of logs', async (t) => {
  const app = await createTestApp(t, { emulators });
  const made = await app.decide({ telemetry_id: 'allow', device_id: 'active', account_id: 'acct_of_nobody' });
  const queries = ['telemetry_id=allow', 'device_id=active', 'account_id=acct_of_nobody'];
  for (const query of queries) {
    const { json } = await app.ask<{ decisions: { decision_id: string }[] }>('GET', `/v1/decisions?${query}`);
    t.same(
      json.decisions.map(({ decision_id: id }) => id),
      [made.json.decision_id],
      query,
    );
  }
  await app.ask('GET', '/v1/decisions?account_id=acct_of_nobody&nonsense=1');
  await app.ask('GET', '/v1/decisions/export?account_id=acct_of_nobody');
  t.notMatch(app.logText(), /acct_of_nobody/);
});

t.test('says how the providers are', async (t) => {
  const app = await createTestApp(t, { emulators, disabled: ['prefactor'] });
  const ask = () =>
    app.ask<{ providers: { id: string; enabled: boolean; circuit: string; suspect: boolean }[] }>(
      'GET',
      '/v1/providers',
    );
  t.same((await ask()).json.providers, [
    { id: 'stytch', enabled: true, circuit: 'closed', suspect: false },
    { id: 'mobilerun', enabled: true, circuit: 'closed', suspect: false },
    { id: 'prefactor', enabled: false, circuit: 'closed', suspect: false },
  ]);
  await until('the circuit opens', async () => {
    await app.decide({ telemetry_id: 'fault-500', device_id: 'active' });
    return (await ask()).json.providers[0]?.circuit === 'open';
  });
});

t.test('has nothing to read where the log is off', async (t) => {
  const app = await createTestApp(t, { emulators, env: { DECISION_LOG: 'off' } });
  for (const url of ['/v1/decisions', '/v1/stats', '/v1/decisions/stream', '/v1/decisions/export'])
    t.equal((await app.ask('GET', url)).status, 404, url);
});
