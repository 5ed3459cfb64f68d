import t from 'tap';
import type { LookResult } from '../../../src/application/evidence/evidence-source.ts';
import {
  createGatherEvidence,
  type Gathered,
  type ProviderSlot,
} from '../../../src/application/evidence/gather-evidence.ts';
import type { DeviceIds, Subject } from '../../../src/domain/subject.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { createManualClock } from '../../support/test-app.ts';
import { createResult, createSource, disabledSlot, slotOf } from '../sources.ts';

/** Never reached in these tests. */
const FAR_MS = 60_000;
const SUBJECT: Subject = { telemetryId: 'telemetry', device: { kind: 'shared', id: 'device' } };

const named = (ids: Readonly<Record<string, string | null>>): DeviceIds => ({
  kind: 'named',
  ids: new Map(Object.entries(ids)),
});
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
const outcomesOf = (gathered: readonly Gathered[]) =>
  gathered.map(({ evidence, origin }) => `${evidence.provider} ${evidence.outcome} ${origin}`);

/** Gathers with a clock that stands still; the deadline is far. */
function gather(slots: readonly ProviderSlot[], subject: Subject = SUBJECT, maxAgeMs: number | null = null) {
  const clock = createManualClock(5_000);
  return createGatherEvidence(slots, clock)(subject, { maxAgeMs, deadlineAtMs: FAR_MS });
}

function createSources() {
  const telemetry = createSource('tele', 'telemetry_id');
  const phone = createSource('phone', 'device_id');
  const cookie = createSource('cookie', 'device_id');
  return { telemetry, phone, cookie, slots: [telemetry, phone, cookie].map(slotOf) };
}

t.test('answers in place, in slot order, when all evidence is at hand', async (t) => {
  const { slots } = createSources();
  const before = timers();
  const gathered = gather(slots);
  if (gathered instanceof Promise) throw new Error('it went away');
  t.same(outcomesOf(gathered), ['tele ok miss', 'phone ok miss', 'cookie ok miss']);
  t.ok(gathered.every(({ latencyMs }) => latencyMs === 0));
  t.equal(timers(), before, 'and starts no timer');
});

t.test('asks each source about its own id, with what may be passed on and nothing else', async (t) => {
  const { telemetry, phone, cookie, slots } = createSources();
  const subject = { ...SUBJECT, accountId: 'account', action: 'login', ip: '192.0.2.1', userAgent: 'agent' };
  await gather(slots, subject, 250);
  const context = { accountId: 'account', action: 'login' };
  t.strictSame(telemetry.asked, [{ query: { id: 'telemetry', ...context }, limits: { maxAgeMs: 250 } }]);
  for (const { asked } of [phone, cookie]) {
    t.strictSame(asked, [{ query: { id: 'device', ...context }, limits: { maxAgeMs: 250 } }]);
  }
});

t.test('asks about an address and an account where there are any, and skips otherwise', async (t) => {
  const address = createSource('address', 'ip');
  const account = createSource('account', 'account_id');
  const slots = [address, account].map(slotOf);
  const known = await gather(slots, { ...SUBJECT, ip: '203.0.113.9', accountId: 'a' });
  t.same(outcomesOf(known), ['address ok miss', 'account ok miss']);
  t.same(
    [address, account].flatMap(({ asked }) => asked.map(({ query }) => query.id)),
    ['203.0.113.9', 'a'],
  );
  const absent = await gather(slots);
  t.same(outcomesOf(absent), ['address skipped none', 'account skipped none']);
  t.ok(absent.every(({ evidence }) => evidence.signals === null));
});

t.test('neither asks about an address that cannot be read nor settles what it would have been', async (t) => {
  const address = createSource('address', 'ip');
  const gathered = await gather([slotOf(address)], { ...SUBJECT, ipUnreadable: 'missing' });
  t.same(outcomesOf(gathered), ['address invalid_request none']);
  t.equal(gathered[0]?.evidence.signals, null);
  t.equal(address.asked.length, 0);
});

t.test('waits for those who are not at hand, and says for how long', async (t) => {
  const clock = createManualClock(5_000);
  const waiting = Promise.withResolvers<LookResult>();
  const slots = [
    slotOf(createSource('tele', 'telemetry_id')),
    slotOf(createSource('phone', 'device_id', () => waiting.promise)),
  ];
  const before = timers();
  const gathered = createGatherEvidence(slots, clock)(SUBJECT, { maxAgeMs: null, deadlineAtMs: FAR_MS });
  t.equal(timers(), before + 1);
  clock.advance(40);
  waiting.resolve(createResult('phone'));
  const [first, second] = await gathered;
  t.equal(first?.latencyMs, 0);
  t.equal(second?.latencyMs, 40);
  t.equal(timers(), before, 'and leaves no timer');
});

t.test('answers by the deadline with what has settled, and a timeout for the rest', async (t) => {
  const late = Promise.withResolvers<LookResult>();
  const slots = [
    slotOf(createSource('tele', 'telemetry_id', () => late.promise)),
    slotOf(createSource('phone', 'device_id', async () => createResult('phone'))),
    slotOf(createSource('cookie', 'device_id')),
  ];
  const before = timers();
  const startedAtMs = performance.now();
  const gathered = await createGatherEvidence(slots, systemClock)(SUBJECT, {
    maxAgeMs: null,
    deadlineAtMs: startedAtMs + 30,
  });
  t.same(outcomesOf(gathered), ['tele timeout miss', 'phone ok miss', 'cookie ok miss']);
  t.match(gathered[0]?.evidence, { signals: null, expiresAtMs: null, upstreamRequestId: null });
  t.ok((gathered[0]?.latencyMs ?? 0) >= 28);
  t.equal(timers(), before);
  late.resolve(createResult('tele'));
  await late.promise;
  await new Promise(setImmediate);
  t.equal(gathered[0]?.evidence.outcome, 'timeout', 'what comes late changes nothing');
});

t.test('lets one late source not hold back the others', async (t) => {
  const hangs = () => new Promise<LookResult>(() => {});
  const slots = [
    slotOf(createSource('tele', 'telemetry_id', hangs)),
    slotOf(createSource('phone', 'device_id', hangs)),
    slotOf(createSource('cookie', 'device_id', async () => createResult('cookie'))),
  ];
  const options = { maxAgeMs: null, deadlineAtMs: performance.now() + 20 };
  const gathered = await createGatherEvidence(slots, systemClock)(SUBJECT, options);
  t.same(outcomesOf(gathered), ['tele timeout miss', 'phone timeout miss', 'cookie ok miss']);
});

t.test('answers at once when the deadline is over, with what is at hand', async (t) => {
  const slots = [
    slotOf(createSource('tele', 'telemetry_id')),
    slotOf(createSource('phone', 'device_id', () => new Promise<LookResult>(() => {}))),
  ];
  const options = { maxAgeMs: null, deadlineAtMs: performance.now() - 1_000 };
  t.same(outcomesOf(await createGatherEvidence(slots, systemClock)(SUBJECT, options)), [
    'tele ok miss',
    'phone timeout miss',
  ]);
});

t.test('keeps the origin that a source names', async (t) => {
  const origins = ['memory', 'redis', 'miss', 'shared', 'none'] as const;
  for (const origin of origins) {
    const look = () => ({ ...createResult('tele'), origin });
    const gathered = await gather([slotOf(createSource('tele', 'telemetry_id', look))]);
    t.equal(gathered[0]?.origin, origin);
  }
});

t.test('skips a provider that is disabled', async (t) => {
  const gathered = await gather([
    disabledSlot('tele', 'telemetry_id'),
    slotOf(createSource('phone', 'device_id')),
  ]);
  t.same(outcomesOf(gathered), ['tele skipped none', 'phone ok miss']);
  t.strictSame(gathered[0]?.evidence.signals, null);
  t.strictSame(gathered[0]?.evidence.observedAtMs, 5_000);
});

/** Device ids, the slots that are enabled, and what they come to at phone and cookie. */
const QUESTIONS: readonly (readonly [string, DeviceIds, string, string])[] = [
  ['a shared id', { kind: 'shared', id: 'x' }, 'ok', 'ok'],
  ['no shared id', { kind: 'shared', id: null }, 'not_found', 'not_found'],
  ['an empty shared id', { kind: 'shared', id: '' }, 'not_found', 'not_found'],
  ['a shared id that is no text', { kind: 'shared', id: '\ud800' }, 'not_found', 'not_found'],
  ['both named', named({ phone: 'x', cookie: 'y' }), 'ok', 'ok'],
  ['one named', named({ phone: 'x' }), 'ok', 'skipped'],
  ['the other named', named({ cookie: 'y' }), 'skipped', 'ok'],
  ['one named, without an id', named({ phone: null }), 'not_found', 'skipped'],
  ['one named, with an empty id', named({ phone: '' }), 'not_found', 'skipped'],
  ['one named, with an id that is no text', named({ phone: 'a\udc00' }), 'not_found', 'skipped'],
  ['both named, one without an id', named({ phone: 'x', cookie: null }), 'ok', 'not_found'],
  ['none named', named({}), 'not_found', 'not_found'],
  ['only somebody else named', named({ tele: 'x' }), 'not_found', 'not_found'],
];

for (const [what, device, phone, cookie] of QUESTIONS) {
  t.test(`asks the device APIs for ${what}`, async (t) => {
    const { slots } = createSources();
    const gathered = await gather(slots, { telemetryId: 'telemetry', device });
    t.same(
      gathered.map(({ evidence }) => evidence.outcome),
      ['ok', phone, cookie],
    );
  });
}

t.test('counts naming a disabled device API alone as no device id', async (t) => {
  const slots = [disabledSlot('phone', 'device_id'), slotOf(createSource('cookie', 'device_id'))];
  const gathered = await gather(slots, { telemetryId: null, device: named({ phone: 'x' }) });
  t.same(outcomesOf(gathered), ['phone skipped none', 'cookie not_found none']);
});

t.test('takes a missing telemetry id for not found, and asks nobody', async (t) => {
  for (const telemetryId of [null, '', '\udfff']) {
    const { telemetry, slots } = createSources();
    const [first] = await gather(slots, { ...SUBJECT, telemetryId });
    t.match(first, {
      origin: 'none',
      latencyMs: 0,
      evidence: {
        outcome: 'not_found',
        signals: { found: false },
        expiresAtMs: null,
        upstreamRequestId: null,
      },
    });
    t.equal(telemetry.asked.length, 0);
  }
});
