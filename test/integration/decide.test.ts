import t from 'tap';
import type { Answer, DecisionBody, ProviderId } from '../support/answer.ts';
import { createTestApp } from '../support/test-app.ts';

const shared = await createTestApp(t);
let serial = 0;

/** A telemetry id of this kind that no device has used yet; a missing one is as it is. */
function fresh<Id extends string | null | undefined>(kind: Id): string | Id {
  serial += 1;
  return kind ? `${kind}-${serial}` : kind;
}

function codesOf({ json }: Pick<Answer<DecisionBody>, 'json'>): string[] {
  return json.reasons.map(({ code }) => code);
}

/** What Stytch's emulator says of a telemetry id, and what that comes to with a device in good standing. */
const TELEMETRY = [
  ['allow', 'ALLOW', []],
  ['minimal', 'ALLOW', []],
  ['fault-unknown-fields', 'ALLOW', []],
  ['challenge', 'CHALLENGE', ['STYTCH_CHALLENGE']],
  ['inauthentic', 'CHALLENGE', ['DEVICE_INAUTHENTIC']],
  ['unknown-action', 'CHALLENGE', ['STYTCH_ACTION_UNKNOWN']],
  ['block', 'BLOCK', ['STYTCH_BLOCK', 'DEVICE_INAUTHENTIC']],
  ['headless', 'BLOCK', ['STYTCH_BLOCK', 'DEVICE_INAUTHENTIC']],
  ['rule-match', 'BLOCK', ['STYTCH_BLOCK']],
  ['no-such-telemetry', 'BLOCK', ['TELEMETRY_NOT_FOUND']],
  [undefined, 'BLOCK', ['TELEMETRY_MISSING', 'TELEMETRY_NOT_FOUND']],
  [null, 'BLOCK', ['TELEMETRY_MISSING', 'TELEMETRY_NOT_FOUND']],
  ['', 'BLOCK', ['TELEMETRY_MISSING', 'TELEMETRY_NOT_FOUND']],
] as const;

/** The same of a device id, with telemetry in good standing. */
const DEVICES = [
  ['active', 'ALLOW', []],
  ['013xrzp12g3nqk8nyvk0xwzcb2gzp8z1', 'ALLOW', []],
  ['minimal', 'ALLOW', []],
  ['never-seen', 'ALLOW', []],
  ['fault-unknown-fields', 'ALLOW', []],
  ['unsupported', 'CHALLENGE', ['DEVICE_UNSUPPORTED']],
  ['revoked', 'BLOCK', ['DEVICE_REVOKED']],
  ['no-such-device', 'BLOCK', ['DEVICE_NOT_FOUND', 'DEVICE_NOT_FOUND']],
  [undefined, 'BLOCK', ['DEVICE_MISSING', 'DEVICE_NOT_FOUND', 'DEVICE_NOT_FOUND']],
  [null, 'BLOCK', ['DEVICE_MISSING', 'DEVICE_NOT_FOUND', 'DEVICE_NOT_FOUND']],
  ['', 'BLOCK', ['DEVICE_MISSING', 'DEVICE_NOT_FOUND', 'DEVICE_NOT_FOUND']],
] as const;

const STRICTNESS = ['ALLOW', 'CHALLENGE', 'BLOCK'];

const pairs = TELEMETRY.flatMap((telemetry) => DEVICES.map((device) => [telemetry, device] as const));
t.equal(pairs.length, 143, 'every telemetry id meets every device id');

for (const [[telemetryId, ofTelemetry, telemetryCodes], [deviceId, ofDevice, deviceCodes]] of pairs) {
  const expected = STRICTNESS[Math.max(STRICTNESS.indexOf(ofTelemetry), STRICTNESS.indexOf(ofDevice))];
  const subject = `telemetry ${String(telemetryId ?? 'none')} with device ${String(deviceId ?? 'none')}`;
  t.test(`answers ${expected} to ${subject}`, async (t) => {
    const body = { telemetry_id: fresh(telemetryId), device_id: deviceId };
    const { status, json } = await shared.decide(body);
    t.equal(status, 200);
    t.equal(json.decision, expected);
    t.same(codesOf({ json }).sort(), [...telemetryCodes, ...deviceCodes].sort());
    t.equal(json.degraded, false, 'definite evidence is never degraded');
    const strictness = json.reasons.map(({ verdict }) => -STRICTNESS.indexOf(verdict));
    t.same(
      strictness,
      strictness.toSorted((left, right) => left - right),
      'reasons are strictest first',
    );
    t.ok(json.reasons.every(({ certain }) => certain));
  });
}

/** device_ids, the verdict beside a good telemetry id, and the outcomes at mobilerun and prefactor. */
const NAMED = [
  [{ mobilerun: 'active', prefactor: 'active' }, 'ALLOW', 'ok', 'ok'],
  [{ mobilerun: 'active', prefactor: 'minimal' }, 'ALLOW', 'ok', 'ok'],
  [{ mobilerun: 'active' }, 'ALLOW', 'ok', 'skipped'],
  [{ prefactor: 'active' }, 'ALLOW', 'skipped', 'ok'],
  [{ prefactor: 'unsupported' }, 'ALLOW', 'skipped', 'ok'],
  [{ mobilerun: 'unsupported' }, 'CHALLENGE', 'unsupported', 'skipped'],
  [{ prefactor: 'revoked' }, 'BLOCK', 'skipped', 'ok'],
  [{ mobilerun: 'active', prefactor: 'revoked' }, 'BLOCK', 'ok', 'ok'],
  [{ mobilerun: 'active', prefactor: 'nobody' }, 'BLOCK', 'ok', 'not_found'],
  [{ mobilerun: 'nobody', prefactor: 'active' }, 'BLOCK', 'not_found', 'ok'],
  [{ mobilerun: 'active', prefactor: null }, 'BLOCK', 'ok', 'not_found'],
  [{ mobilerun: 'active', prefactor: '' }, 'BLOCK', 'ok', 'not_found'],
  [{ mobilerun: null }, 'BLOCK', 'not_found', 'skipped'],
  [{ prefactor: '' }, 'BLOCK', 'skipped', 'not_found'],
  [{}, 'BLOCK', 'not_found', 'not_found'],
] as const;

for (const [ids, verdict, mobilerun, prefactor] of NAMED) {
  t.test(`answers ${verdict} to device_ids ${JSON.stringify(ids)}`, async (t) => {
    const { status, json } = await shared.decide({ telemetry_id: fresh('allow'), device_ids: ids });
    t.equal(status, 200);
    t.equal(json.decision, verdict);
    t.equal(json.providers.mobilerun.outcome, mobilerun);
    t.equal(json.providers.prefactor.outcome, prefactor);
  });
}

t.test('knows the ids of the references as they are, however often the same subject asks', async (t) => {
  for (const [telemetryId, deviceId] of [
    ['allow', 'active'],
    ['026ac93b-8cdf-4fcb-bfa6-36a31cfecac1', '013xrzp12g3nqk8nyvk0xwzcb2gzp8z1'],
  ] as const) {
    for (let round = 0; round < 3; round += 1) {
      const { json } = await shared.decide({ telemetry_id: telemetryId, device_id: deviceId });
      t.match(json, { decision: 'ALLOW', reasons: [], degraded: false });
    }
  }
});

t.test('asks nobody about an id that is missing or skipped', async (t) => {
  shared.emulators.resetCallCounts();
  await shared.decide({});
  await shared.decide({ telemetry_id: '', device_id: '' });
  await shared.decide({ device_ids: { mobilerun: null } });
  t.same(shared.emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 });
  const { json } = await shared.decide({});
  for (const use of Object.values(json.providers)) {
    t.match(use, { outcome: 'not_found', cache: 'none', latency_ms: 0, age_ms: 0, request_id: null });
  }
});

t.test('is never talked round by naming only a device API that is disabled', async (t) => {
  const cases: readonly (readonly [ProviderId, unknown])[] = [
    ['mobilerun', { mobilerun: 'active' }],
    ['mobilerun', { mobilerun: 'active', prefactor: null }],
    ['prefactor', { prefactor: 'active' }],
    ['prefactor', { prefactor: 'active', mobilerun: '' }],
    ['mobilerun', {}],
    ['prefactor', {}],
  ];
  for (const [disabled, ids] of cases) {
    const app = await createTestApp(t, { disabled: [disabled], emulators: shared.emulators });
    const { status, json } = await app.decide({ telemetry_id: 'allow', device_ids: ids });
    t.equal(status, 200);
    t.equal(json.decision, 'BLOCK', `${disabled} disabled, ${JSON.stringify(ids)}`);
    t.equal(json.providers[disabled].outcome, 'skipped');
  }
});

t.test('answers by the providers that are enabled', async (t) => {
  const app = await createTestApp(t, { disabled: ['mobilerun'], emulators: shared.emulators });
  const good = await app.decide({ telemetry_id: 'allow', device_id: 'active' });
  t.match(good.json, {
    decision: 'ALLOW',
    degraded: false,
    providers: { mobilerun: { outcome: 'skipped' } },
  });
  const unsupported = await app.decide({ telemetry_id: fresh('allow'), device_id: 'unsupported' });
  t.equal(unsupported.json.decision, 'ALLOW', 'only mobilerun knows that it is unsupported');
  const revoked = await app.decide({ telemetry_id: fresh('allow'), device_id: 'revoked' });
  t.equal(revoked.json.decision, 'BLOCK');
  t.same(codesOf(revoked), ['DEVICE_REVOKED']);
  const missing = await app.decide({ telemetry_id: fresh('allow') });
  t.equal(missing.json.decision, 'BLOCK');
  t.same(codesOf(missing), ['DEVICE_MISSING', 'DEVICE_NOT_FOUND']);
  const warnings = app.logs.filter(({ event }) => event === 'provider.disabled');
  t.equal(warnings.length, 1, 'one warning names it');
  t.match(warnings[0], { provider: 'mobilerun', level: 'warn' });
});

t.test('decides by the deprecated lookup of Stytch just the same', async (t) => {
  const app = await createTestApp(t, {
    env: { STYTCH_LOOKUP_METHOD: 'get' },
    emulators: shared.emulators,
  });
  for (const [telemetryId, verdict] of TELEMETRY) {
    const { json } = await app.decide({ telemetry_id: telemetryId, device_id: 'active' });
    t.equal(json.decision, verdict, String(telemetryId));
  }
});

t.test('keeps a lookup whole whatever the account and the action are', async (t) => {
  const accounts = [
    '',
    'ü',
    'a b',
    'x'.repeat(65),
    'x'.repeat(66),
    'x'.repeat(256),
    '"}',
    '\u0000',
    '\ud800',
  ];
  for (const [place, account] of accounts.entries()) {
    const body = {
      telemetry_id: fresh('allow'),
      device_id: `fault-slow-0-whole-${place}`,
      account_id: account,
      action: 'log.in',
      max_age_ms: 0,
    };
    const { status, json } = await shared.decide(body);
    t.equal(status, 200);
    t.equal(json.decision, 'ALLOW', JSON.stringify(account));
  }
});

t.test('takes a device id that Mobilerun calls unknown with a 500 for not found', async (t) => {
  const app = await createTestApp(t, { emulatorOptions: { mobilerun: { unknownDeviceStatus: 500 } } });
  const { json } = await app.decide({ telemetry_id: 'allow', device_ids: { mobilerun: 'nobody' } });
  t.match(json, { decision: 'BLOCK', degraded: false, providers: { mobilerun: { outcome: 'not_found' } } });
});

t.test('never answers ALLOW by wrong credentials, and says that they are wrong', async (t) => {
  const app = await createTestApp(t, {
    emulatorOptions: {
      stytch: { credentials: { projectId: 'another', secret: 'another' } },
      mobilerun: { credentials: { apiKey: 'another' } },
      prefactor: { credentials: { apiToken: 'another' } },
    },
  });
  const { status, json } = await app.decide({ telemetry_id: 'allow', device_id: 'active' });
  t.equal(status, 200);
  t.match(json, { decision: 'CHALLENGE', degraded: true });
  for (const use of Object.values(json.providers)) t.equal(use.outcome, 'unauthorized');
});
