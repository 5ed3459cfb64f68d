import t from 'tap';
import { createTestApp } from '../support/test-app.ts';

const app = await createTestApp(t);

/** Ids that are sent as they are, whatever they would mean in a path, a query, JSON or Redis. */
const SENDABLE = [
  '...',
  './',
  '../..',
  '../../admin',
  '..\\admin',
  '%2e%2e',
  '%2E%2E%2F',
  '%00',
  '%',
  '%zz',
  'a/b',
  '/',
  '//evil.example/',
  'https://evil.example/',
  'a?b=c',
  'a#b',
  'a;b',
  'a&telemetry_id=allow',
  'active/fingerprint',
  'active?x=',
  'active#',
  ' active',
  'active ',
  'a b',
  'a+b',
  'ü',
  'ﬁ',
  'e\u0301',
  '\u00e9',
  '日本語',
  '😀',
  '👩‍👩‍👧‍👦',
  '\u202eevitca',
  '\u0000',
  'a\u0000b',
  '\r\nX-Injected: 1',
  '\n',
  '\t',
  '\u007f',
  '\u2028',
  '\uffff',
  '"',
  "'; DROP TABLE devices; --",
  '{}',
  '$(id)',
  '*',
  'ALLOW',
  'Active',
  'constructor',
  '__proto__',
  'hasOwnProperty',
  'null',
  'undefined',
  '0',
  'x'.repeat(256),
  '😀'.repeat(256),
] as const;

/** Ids that no request can carry unchanged, so that no provider can know them. */
const UNSENDABLE = ['.', '..', '\ud800', 'a\udc00b', '\udfff\ud800'] as const;

/** An id in printable ASCII, for the name of a test. */
function spell(id: string): string {
  return JSON.stringify(id.slice(0, 40)).replace(
    /[^\x20-\x7e]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** A JSON body that keeps lone surrogates as escapes. */
const toBody = (id: string) => JSON.stringify({ telemetry_id: id, device_id: id });

for (const id of SENDABLE) {
  t.test(`asks about ${spell(id)} and about nothing else`, async (t) => {
    app.emulators.resetCallCounts();
    const { status, json } = await app.decide(toBody(id));
    t.equal(status, 200);
    t.match(json, { decision: 'BLOCK', degraded: false });
    for (const [provider, calls] of Object.entries(app.emulators.callCounts())) {
      t.equal(calls, 1, `one request at ${provider}`);
      t.equal(app.emulators.callCount(provider, id), 1, `about this very id at ${provider}`);
    }
    for (const use of Object.values(json.providers)) t.equal(use.outcome, 'not_found');
  });
}

for (const id of UNSENDABLE) {
  t.test(`takes ${spell(id)} for unknown, and forms no path of it`, async (t) => {
    app.emulators.resetCallCounts();
    const { status, json } = await app.decide(toBody(id));
    t.equal(status, 200);
    t.match(json, { decision: 'BLOCK', degraded: false });
    for (const [provider, calls] of Object.entries(app.emulators.callCounts())) {
      t.equal(calls, app.emulators.callCount(provider, id), `no other path at ${provider}`);
    }
    for (const use of Object.values(json.providers)) t.equal(use.outcome, 'not_found');
  });
}

t.test('keeps ids apart that differ in form, case or space only', async (t) => {
  await app.decide({ telemetry_id: 'allow', device_id: 'active' });
  for (const id of ['Active', 'ACTIVE', 'active ', ' active', 'active\u0000', 'ａctive', 'active\u200b']) {
    const { json } = await app.decide({ telemetry_id: 'allow', device_id: id });
    t.equal(json.decision, 'BLOCK', JSON.stringify(id));
  }
  const first = await app.decide({ telemetry_id: 'é', device_id: 'é', max_age_ms: 1_000_000 });
  const second = await app.decide({ telemetry_id: 'e\u0301', device_id: 'e\u0301', max_age_ms: 1_000_000 });
  t.ok(first.json.decision_id !== second.json.decision_id);
});

t.test('asks Stytch by the deprecated lookup about the same ids', async (t) => {
  const get = await createTestApp(t, {
    env: { STYTCH_LOOKUP_METHOD: 'get' },
    disabled: ['mobilerun', 'prefactor'],
  });
  for (const id of SENDABLE) {
    get.emulators.resetCallCounts();
    const { status, json } = await get.decide(toBody(id));
    t.equal(status, 200);
    t.equal(json.decision, 'BLOCK');
    t.equal(get.emulators.callCount('stytch', id), 1, spell(id));
  }
});

t.test('purges strange ids too', async (t) => {
  for (const id of SENDABLE) {
    const query = `telemetry_id=${encodeURIComponent(id)}&device_id=${encodeURIComponent(id)}`;
    await app.decide(toBody(id));
    const { status } = await app.ask('DELETE', `/v1/evidence?${query}`);
    t.equal(status, 200, spell(id));
    const { json } = await app.decide(toBody(id));
    for (const use of Object.values(json.providers)) t.equal(use.cache, 'miss');
  }
});
