import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { DecisionBody } from '../support/answer.ts';
import { createTestApp } from '../support/test-app.ts';

interface ExplainedBody extends DecisionBody {
  readonly explanation?: {
    readonly signals: Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;
    readonly rules: readonly {
      readonly rule: string;
      readonly result: string;
      readonly why: string | null;
    }[];
  };
}

const app = await createTestApp(t);
const GOOD = { telemetry_id: 'allow', device_id: 'active' };
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const RFC_3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/;
const FIELDS = [
  'decision_id',
  'decision',
  'reasons',
  'degraded',
  'waivers',
  'providers',
  'policy',
  'decided_at',
  'expires_at',
];

t.test('answers with exactly the fields of the contract', async (t) => {
  const { status, headers, json } = await app.decide({ telemetry_id: 'nobody', device_id: 'active' });
  t.equal(status, 200);
  t.match(headers['content-type'], /^application\/json/);
  t.same(Object.keys(json), FIELDS);
  t.match(json.decision_id, UUID_V7);
  t.equal(json.decision, 'BLOCK');
  t.strictSame(json.reasons, [
    {
      code: 'TELEMETRY_NOT_FOUND',
      rule: 'telemetry-not-found',
      verdict: 'BLOCK',
      providers: ['stytch'],
      certain: true,
    },
  ]);
  t.equal(json.degraded, false);
  t.strictSame(json.waivers, []);
  t.match(json.decided_at, RFC_3339_UTC);
  t.match(json.expires_at, RFC_3339_UTC);
});

t.test('says of every provider where its evidence came from', async (t) => {
  const { json } = await app.decide({ ...GOOD, max_age_ms: 0 });
  t.same(Object.keys(json.providers), ['stytch', 'mobilerun', 'prefactor']);
  for (const use of Object.values(json.providers)) {
    t.same(Object.keys(use), ['outcome', 'cache', 'latency_ms', 'age_ms', 'request_id']);
    t.match(use, { outcome: 'ok', cache: 'miss', latency_ms: Number, age_ms: Number });
    t.ok(use.latency_ms > 0 && use.latency_ms < 10_000);
    t.ok(use.age_ms >= 0 && use.age_ms < 10_000);
  }
  t.match(json.providers.stytch.request_id, /^request-id-test-/, "the upstream's own id");
  t.equal(json.providers.mobilerun.request_id, null);
});

t.test('names the policy by its id and the hash of its file', async (t) => {
  const { json } = await app.decide(GOOD);
  const digest = hash('sha256', readFileSync(app.policyFile));
  t.strictSame(json.policy, { id: 'default', hash: `sha256:${digest}` });
});

t.test('gives every decision an id of its own, in order of time', async (t) => {
  const ids: string[] = [];
  for (let index = 0; index < 20; index += 1) ids.push((await app.decide(GOOD)).json.decision_id);
  t.equal(new Set(ids).size, 20);
  // Within one millisecond the order is free (RFC 9562, section 5.7).
  const times = ids.map((id) => id.slice(0, 13));
  t.same(times, times.toSorted());
});

t.test('answers with the headers of the contract', async (t) => {
  const { headers, json } = await app.decide(GOOD, { headers: { 'x-request-id': 'caller-1.A_b:c' } });
  t.equal(headers['x-request-id'], 'caller-1.A_b:c', 'the request id is echoed');
  t.equal(headers['x-decision-id'], json.decision_id);
  t.equal(headers['cache-control'], 'no-store');
  const timing = String(headers['server-timing']).split(', ');
  t.same(
    timing.map((metric) => metric.split(';')[0]),
    ['decide', 'stytch', 'mobilerun', 'prefactor'],
  );
  for (const metric of timing) t.match(metric, /;dur=\d+(\.\d+)?$/);
});

t.test('makes a request id where there is none, or none that is safe to repeat', async (t) => {
  const made = new Set<unknown>();
  for (const id of [undefined, '', 'a b', 'a,b', '<script>', 'ü', 'x'.repeat(129), 'a"b', 'a;b', '{}']) {
    const { headers } = await app.decide(GOOD, id === undefined ? {} : { headers: { 'x-request-id': id } });
    t.match(headers['x-request-id'], UUID_V7, JSON.stringify(id));
    made.add(headers['x-request-id']);
  }
  t.equal(made.size, 10);
});

t.test('repeats the request id in the log line of the decision', async (t) => {
  const { json } = await app.decide(GOOD, { headers: { 'x-request-id': 'find-me' } });
  const lines = app.logs.filter((line) => line['request_id'] === 'find-me');
  t.equal(lines.length, 1, 'one line per decision');
  t.match(lines[0], {
    event: 'decision.made',
    decision_id: json.decision_id,
    decision: 'ALLOW',
    level: 'info',
  });
});

t.test('lists reasons strictest first, those that are certain before those that are not', async (t) => {
  const { json } = await app.decide({
    telemetry_id: 'inauthentic',
    device_ids: { mobilerun: 'fault-500', prefactor: 'revoked' },
  });
  const order = json.reasons.map(({ verdict, certain }) => `${verdict} ${certain}`);
  t.same([...new Set(order)], ['BLOCK true', 'CHALLENGE true', 'CHALLENGE false']);
  t.equal(json.decision, 'BLOCK');
  t.equal(json.degraded, true);
});

t.test('expires with the first piece of evidence that was used', async (t) => {
  const own = await createTestApp(t, {
    emulators: app.emulators,
    random: () => 0,
    env: { STYTCH_OK_TTL_SECONDS: '600', MOBILERUN_OK_TTL_SECONDS: '20', PREFACTOR_OK_TTL_SECONDS: '40' },
  });
  const lifeMs = async (body: object) => {
    const { json } = await own.decide(body);
    return Date.parse(json.expires_at) - Date.parse(json.decided_at);
  };
  t.ok(Math.abs((await lifeMs(GOOD)) - 20_000) < 2_000, 'mobilerun expires first');
  const named = { telemetry_id: 'allow', device_ids: { prefactor: 'active' } };
  t.ok(Math.abs((await lifeMs(named)) - 40_000) < 2_000, 'evidence that is not used does not count');
  const negative = { telemetry_id: 'nobody', device_ids: { prefactor: 'active' } };
  t.ok((await lifeMs(negative)) <= 5_000, 'negative evidence is short-lived');
});

t.test('expires at once where evidence was missing or is expired', async (t) => {
  for (const telemetry of ['fault-500', 'fault-expired-answer']) {
    const { json } = await app.decide({ ...GOOD, telemetry_id: telemetry });
    t.equal(json.expires_at, json.decided_at, telemetry);
  }
});

t.test('keeps signals and traces to itself unless it is asked', async (t) => {
  const { text } = await app.decide(GOOD);
  t.notMatch(text, /explanation|signals/);
});

t.test('explains with the signals and with every rule', async (t) => {
  const whole = { ...GOOD, account_id: 'acct_1', ip: '203.0.113.7' };
  const { json } = await app.decide(whole, { url: '/v1/decide?explain=full' });
  const { explanation } = json as ExplainedBody;
  t.match(explanation?.signals, {
    stytch: { found: true, action: 'ALLOW', is_authentic: true },
    mobilerun: { found: true, supported: true },
    prefactor: { found: true, status: 'active' },
  });
  const policy = await app.ask<{ document: { rules: { id: string }[] } }>('GET', '/v1/policy');
  t.same(
    explanation?.rules.map(({ rule }) => rule),
    policy.json.document.rules.map(({ id }) => id),
  );
  for (const line of explanation?.rules ?? []) t.strictSame([line.result, line.why], ['false', null]);
});

t.test('explains why a rule is unknown, and which could not speak', async (t) => {
  const body = { telemetry_id: 'fault-500', device_ids: { prefactor: 'active' } };
  const { json } = await app.decide(body, { url: '/v1/decide?explain=full' });
  const { explanation } = json as ExplainedBody;
  t.equal(explanation?.signals['stytch'], null);
  t.equal(explanation?.signals['mobilerun'], null);
  const lines = new Map(explanation?.rules.map((line) => [line.rule, line]));
  t.match(lines.get('stytch-block'), { result: 'unknown', why: /stytch unavailable/ });
  t.match(lines.get('device-unsupported'), { result: 'inert', why: /mobilerun skipped/ });
  t.match(lines.get('device-revoked'), { result: 'false', why: null });
});

t.test('lists what a policy lets pass under waivers', async (t) => {
  const policy = `policy: lenient
otherwise: ALLOW
rules:
  - {id: lenient, when: '!stytch.found', verdict: BLOCK, reason: LENIENT, on_unknown: IGNORE}
`;
  const own = await createTestApp(t, { policy, emulators: app.emulators });
  const { json } = await own.decide({ telemetry_id: 'fault-500', device_id: 'active' });
  t.match(json, { decision: 'ALLOW', degraded: true });
  t.strictSame(json.waivers, [{ code: 'LENIENT', rule: 'lenient', providers: ['stytch'] }]);
  t.strictSame((await own.decide(GOOD)).json.waivers, []);
});

t.test('ends with ALLOW when an exempt rule is definitely true, and only then', async (t) => {
  const policy = `policy: exempting
otherwise: BLOCK
rules:
  - {id: known, when: 'request.account_id == "vip"', verdict: ALLOW, reason: KNOWN, exempt: true}
  - {id: revoked, when: 'prefactor.status == "revoked"', verdict: BLOCK, reason: REVOKED}
`;
  const own = await createTestApp(t, { policy, emulators: app.emulators });
  const body = { telemetry_id: 'allow', device_id: 'revoked' };
  t.equal((await own.decide({ ...body, account_id: 'vip' })).json.decision, 'ALLOW');
  for (const account of [undefined, '', 'VIP', 'vip ']) {
    t.equal((await own.decide({ ...body, account_id: account })).json.decision, 'BLOCK', String(account));
  }
});
