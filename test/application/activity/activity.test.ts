import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createActivity } from '../../../src/application/activity/activity.ts';
import type {
  ActivityChange,
  ActivityStore,
  KnownActivity,
} from '../../../src/application/activity/activity-store.ts';
import type { ActivityHashes } from '../../../src/application/activity/subject-names.ts';
import type { Gathered, ProviderSlot } from '../../../src/application/evidence/gather-evidence.ts';
import { createActivityState } from '../../../src/domain/activity/activity-state.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import type { Outcome } from '../../../src/domain/evidence.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { createMemoryActivityStore } from '../../../src/stores/activity/memory-store.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';
import { createManualClock } from '../../support/test-app.ts';
import { createSource, slotOf } from '../sources.ts';

const VISITOR = 'abcdef0123456789abcdef0123456789';

/** Hashes of 32 hex digits. */
function hashesOf(keyId: string): ActivityHashes {
  const hashAs = (part: string) => (id: string) => hash('sha256', `${keyId} ${part} ${id}`).slice(0, 32);
  return {
    keyId,
    telemetry: hashAs('telemetry'),
    device: hashAs('device'),
    account: hashAs('account'),
    network: hashAs('network'),
  };
}

const SUBJECT: Subject = {
  telemetryId: '1',
  device: { kind: 'shared', id: '1' },
  accountId: '1',
  ip: '203.0.113.7',
};
const NOBODY: Subject = { telemetryId: null, device: { kind: 'shared', id: null } };

/** A policy that reads these signals. */
function reading(...names: string[]): CompiledPolicy {
  const rules = names.map((name, place) => {
    const when = name.includes('known') ? `activity.${name}` : `activity.${name} == 7`;
    return rule(when, { id: `rule-${place}` });
  });
  return compiled(documentOf(rules));
}

const READ = [
  'account.devices_1h',
  'account.countries_1h',
  'device.accounts_1h',
  'ip.decisions_1h',
  'visitor.accounts_1h',
];

const stytch = slotOf(createSource('stytch', 'telemetry_id'));
const SLOTS: readonly ProviderSlot[] = [
  stytch,
  slotOf(createSource('mobilerun', 'device_id')),
  { id: 'off', subject: 'telemetry_id', source: null },
];

function gather(outcome: Outcome, signals: object | null): readonly Gathered[] {
  return SLOTS.map((slot) => ({
    slot,
    evidence: {
      provider: slot.id,
      outcome: slot.subject === 'telemetry_id' ? outcome : 'timeout',
      signals: slot === stytch ? (signals as Gathered['evidence']['signals']) : null,
      observedAtMs: 0,
      expiresAtMs: null,
      upstreamRequestId: null,
    },
    origin: 'miss',
    latencyMs: 0,
  }));
}

const FOUND = gather('ok', { found: true, visitor: VISITOR, country: 'DE', asn: 64_500 });

function open(changes: Partial<ActivityStore> = {}, keyIds: readonly [string, ...string[]] = ['k']) {
  const clock = createManualClock(1_800_000_000_000);
  const memory = createMemoryActivityStore({ clock });
  const taken: ActivityChange[] = [];
  const store: ActivityStore = {
    take: (change) => {
      taken.push(change);
      return memory.take(change);
    },
    add: memory.add.bind(memory),
    addNow: memory.addNow.bind(memory),
    claim: memory.claim.bind(memory),
    settle: memory.settle.bind(memory),
    unclaim: memory.unclaim.bind(memory),
    forget: memory.forget.bind(memory),
    ...changes,
  };
  const hashes = [hashesOf(keyIds[0]), ...keyIds.slice(1).map(hashesOf)] as const;
  const activity = createActivity({ slots: SLOTS, store, hashes, clock });
  const tell = async (
    policy: CompiledPolicy,
    { subject = SUBJECT, gathered = FOUND }: { subject?: Subject; gathered?: readonly Gathered[] } = {},
  ): Promise<SubjectFacts> => {
    const deadlineAtMs = clock.monotonicMs() + 50;
    const conclude = await activity.facts.ask({ subject, policy, deadlineAtMs });
    return conclude({ gathered, facts: {}, nowMs: clock.nowMs() });
  };
  return { activity, clock, memory, taken, tell };
}

const DEVICE_OF_OTHERS = { part: 'device', hash: 'd'.repeat(32) } as const;

function decided(verdict: Decision['verdict'], gathered: readonly Gathered[]): Decision {
  const evidence = gathered.map(({ evidence: { outcome, signals } }) => ({ outcome, stored: signals }));
  return { verdict, evidence, place: null } as unknown as Decision;
}

t.test('tells what a policy reads, and asks for no other part', async (t) => {
  const { taken, tell } = open();
  t.same(await tell(reading('device.accounts_1h', 'device.blocks_1h')), {
    'activity.device': { accounts_1h: 1, blocks_1h: 0 },
  });
  t.same(
    taken.map(({ entity }) => entity.part),
    ['device'],
  );
  t.same(await tell(reading(...READ)), {
    'activity.account': { devices_1h: 1, countries_1h: 1 },
    'activity.device': { accounts_1h: 1 },
    'activity.ip': { decisions_1h: 0 },
    'activity.visitor': { accounts_1h: 1 },
  });
  t.same(
    taken.slice(1).map(({ entity }) => entity.part),
    ['account', 'device', 'ip', 'visitor'],
  );
});

t.test('answers in place where the store does', async (t) => {
  const { activity, clock } = open();
  const policy = reading(...READ);
  const conclude = activity.facts.ask({ subject: SUBJECT, policy, deadlineAtMs: 1_000 });
  if (conclude instanceof Promise) throw new Error('it went away');
  t.notOk(conclude({ gathered: FOUND, facts: {}, nowMs: clock.nowMs() }) instanceof Promise);
});

t.test('has nothing to tell of what a request lacks', async (t) => {
  const { tell } = open();
  const facts = await tell(reading(...READ), { subject: NOBODY, gathered: gather('ok', { found: true }) });
  t.same(facts, {
    'activity.account': 'none',
    'activity.device': 'none',
    'activity.ip': 'none',
    'activity.visitor': 'none',
  });
});

t.test('does not know what lost evidence would have told, and an address that cannot be read', async (t) => {
  const { tell } = open();
  const subject: Subject = { ...SUBJECT, ip: undefined, ipUnreadable: 'malformed' };
  t.same(await tell(reading(...READ), { subject, gathered: gather('timeout', null) }), {
    'activity.account': { devices_1h: 1 },
    'activity.device': { accounts_1h: 1 },
    'activity.ip': 'unknown',
    'activity.visitor': 'unknown',
  });
});

t.test('takes a visitor that is no hash for none', async (t) => {
  const { tell } = open();
  const gathered = gather('ok', { found: true, visitor: 'someone' });
  t.same(await tell(reading('visitor.accounts_1h'), { gathered }), { 'activity.visitor': 'none' });
});

t.test('does not know what the store does not tell, or not by the deadline', async (t) => {
  const policy = reading('device.accounts_1h', 'visitor.accounts_1h', 'account.devices_1h');
  const unknown = {
    'activity.account': 'unknown',
    'activity.device': 'unknown',
    'activity.visitor': 'unknown',
  };
  t.same(await open({ take: () => null }).tell(policy), unknown);
  t.same(await open({ take: async () => null }).tell(policy), unknown);
  t.same(await open({ take: () => new Promise(() => {}) }).tell(policy), unknown);
});

t.test('does not know the part that is late, and what comes later changes nothing', async (t) => {
  const late = Promise.withResolvers<KnownActivity | null>();
  const { memory: other } = open();
  const take = async (change: ActivityChange) =>
    change.entity.part === 'device' ? late.promise : other.take(change);
  const { activity, clock } = open({ take });
  const policy = reading('device.accounts_1h', 'account.devices_1h', 'visitor.accounts_1h');
  const deadlineAtMs = clock.monotonicMs() + 20;
  const conclude = await activity.facts.ask({ subject: SUBJECT, policy, deadlineAtMs });
  late.resolve(other.take({ entity: DEVICE_OF_OTHERS, values: [], acceptance: null, measures: [] }));
  await setImmediate();
  t.same(await conclude({ gathered: FOUND, facts: {}, nowMs: clock.nowMs() }), {
    'activity.account': { devices_1h: 1 },
    'activity.device': 'unknown',
    'activity.visitor': { accounts_1h: 1 },
  });
});

t.test('tells the moment of the request, whatever comes while evidence is awaited', async (t) => {
  const { activity, clock, tell } = open();
  const policy = reading('device.accounts_1h', 'device.countries_1h');
  const question = { policy, deadlineAtMs: clock.monotonicMs() + 50 };
  const conclude = await activity.facts.ask({ ...question, subject: SUBJECT });
  await tell(policy, { subject: { ...SUBJECT, accountId: '2' } });
  const facts = await conclude({ gathered: FOUND, facts: {}, nowMs: clock.nowMs() });
  t.same(facts, { 'activity.device': { accounts_1h: 1, countries_1h: 1 } });
});

t.test('keeps it under every hash key, and reads it where most is kept', async (t) => {
  const { taken, memory, clock, tell } = open({}, ['one', 'two']);
  const policy = reading('device.accounts_1h', 'account.known_device');
  memory.take({
    entity: { part: 'device', hash: hashesOf('two').device('1') },
    values: [4711],
    acceptance: null,
    measures: [],
  });
  clock.advance(5_000);
  t.same(await tell(policy), {
    'activity.device': { accounts_1h: 2 },
    'activity.account': { known_device: false },
  });
  t.same(
    taken.map(({ entity }) => entity.hash),
    [
      hashesOf('one').account('1'),
      hashesOf('two').account('1'),
      hashesOf('one').device('1'),
      hashesOf('two').device('1'),
    ],
  );
  const half = open(
    {
      take: ({ entity }) =>
        entity.hash === hashesOf('one').device('1')
          ? null
          : memory.take({ entity, values: [], acceptance: null, measures: [] }),
    },
    ['one', 'two'],
  );
  t.same(await half.tell(reading('device.accounts_1h')), { 'activity.device': 'unknown' });
});

t.test('counts a visitor once, whom evidence names under one hash key', async (t) => {
  const { activity, tell } = open({}, ['one', 'two']);
  activity.remember(decided('CHALLENGE', FOUND), SUBJECT);
  activity.remember(decided('CHALLENGE', FOUND), { ...SUBJECT, accountId: '2' });
  const facts = await tell(reading('visitor.challenges_1h', 'visitor.accounts_1h', 'ip.challenges_1h'));
  t.same(facts, {
    'activity.visitor': { challenges_1h: 2, accounts_1h: 2 },
    'activity.ip': { challenges_1h: 2 },
  });
});

t.test('counts what decisions came to, with all that they were made with', async (t) => {
  const { activity, tell } = open();
  const notFound = gather('not_found', { found: false });
  activity.remember(decided('BLOCK', notFound), SUBJECT);
  activity.remember(decided('CHALLENGE', FOUND), SUBJECT);
  const policy = reading(
    'ip.decisions_1h',
    'ip.blocks_1h',
    'ip.challenges_1h',
    'ip.not_found_1h',
    'account.known_device',
    'account.known_country',
    'visitor.challenges_1h',
  );
  t.same(await tell(policy), {
    'activity.ip': { decisions_1h: 2, blocks_1h: 1, challenges_1h: 1, not_found_1h: 1 },
    'activity.account': { known_device: false, known_country: false },
    'activity.visitor': { challenges_1h: 1 },
  });
  activity.remember(decided('ALLOW', FOUND), SUBJECT);
  t.match(await tell(policy), {
    'activity.ip': { decisions_1h: 3, not_found_1h: 1 },
    'activity.account': { known_device: true, known_country: true },
  });
});

t.test('counts no telemetry id for unknown that was missing, or whose provider is suspect', async (t) => {
  const missing = open();
  const notFound = gather('not_found', { found: false });
  missing.activity.remember(decided('BLOCK', notFound), { ...SUBJECT, telemetryId: null });
  t.same(await missing.tell(reading('ip.not_found_1h')), { 'activity.ip': { not_found_1h: 0 } });
  t.same(decided('BLOCK', notFound).evidence.length, 3);
});

/** Evidence of a phone with these identifiers, beside that of Stytch. */
function withPhone(identifiers: object, outcome: Outcome = 'ok'): readonly Gathered[] {
  return FOUND.map((piece) =>
    piece.slot.id !== 'mobilerun'
      ? piece
      : {
          ...piece,
          evidence: {
            ...piece.evidence,
            outcome,
            signals:
              outcome === 'ok' ? { found: true, identifiers: identifiers as Record<string, string> } : null,
          },
        },
  );
}

t.test('counts the devices of hardware by any of its identifiers', async (t) => {
  const { tell } = open();
  const policy = reading('hardware.devices_30d');
  const [imei, gaid] = ['11111111111111111111111111111111', '22222222222222222222222222222222'];
  const of = (id: string, identifiers: object) =>
    tell(policy, {
      subject: { ...SUBJECT, device: { kind: 'shared', id } },
      gathered: withPhone(identifiers),
    });
  t.match(await of('1', { imei_hash: imei, gaid_hash: gaid }), { 'activity.hardware': { devices_30d: 1 } });
  t.match(await of('2', { imei_hash: imei }), { 'activity.hardware': { devices_30d: 2 } });
  t.match(await of('3', { imei_hash: 'no hash', gaid_hash: gaid }), {
    'activity.hardware': { devices_30d: 2 },
  });
  t.match(await of('4', { imei_hash: imei, gaid_hash: gaid }), { 'activity.hardware': { devices_30d: 3 } });
  t.match(await of('5', {}), { 'activity.hardware': 'none' });
  t.match(await tell(policy), { 'activity.hardware': 'unknown' }, 'Mobilerun is lost');
});

t.test('names what evidence tells under every hash key', async (t) => {
  const { activity, memory, tell } = open({}, ['one', 'two']);
  const [imei, imeiUnderTwo] = ['11111111111111111111111111111111', '22222222222222222222222222222222'];
  const visitorUnderTwo = '33333333333333333333333333333333';
  const phone = withPhone({ imei_hash: imei }).map((piece) => ({
    ...piece,
    evidence: {
      ...piece.evidence,
      otherNames: { [imei]: { two: imeiUnderTwo }, [VISITOR]: { two: visitorUnderTwo } },
    },
  }));
  for (const entity of [
    { part: 'hardware', hash: imeiUnderTwo },
    { part: 'visitor', hash: visitorUnderTwo },
  ] as const)
    memory.take({ entity, values: [null, 4711], acceptance: null, measures: [0, 5] });
  const policy = reading(
    'hardware.devices_30d',
    'hardware.decisions_1h',
    'visitor.decisions_1h',
    'hardware.fraud_labels_1h',
  );
  const facts = await tell(policy, { gathered: phone });
  t.match(facts, {
    'activity.hardware': { devices_30d: 2, decisions_1h: 1, fraud_labels_1h: 1 },
    'activity.visitor': { decisions_1h: 1 },
  });
  const evidence = phone.map(({ evidence: { outcome, signals, otherNames } }) => ({
    outcome,
    stored: signals,
    otherNames,
  }));
  activity.remember({ verdict: 'ALLOW', evidence } as unknown as Decision, SUBJECT);
  t.match(await tell(policy, { gathered: phone }), { 'activity.hardware': { decisions_1h: 2 } });
});

t.test('says which part evidence does not name under every hash key', async (t) => {
  const { taken, tell } = open({}, ['one', 'two']);
  const gathered = withPhone({ imei_hash: '11111111111111111111111111111111' });
  await tell(reading('hardware.devices_30d', 'visitor.decisions_1h', 'account.decisions_1h'), { gathered });
  t.same(
    taken.map(({ entity: { part, lacksOtherNames } }) => [part, lacksOtherNames]),
    [
      ['account', false],
      ['account', false],
      ['visitor', true],
      ['hardware', true],
    ],
  );
  const alone = open();
  await alone.tell(reading('hardware.devices_30d'), { gathered });
  t.match(alone.taken, [{ entity: { part: 'hardware', lacksOtherNames: false } }]);
});

t.test('tells contradictions where an account was accepted, and how hardware is used', async (t) => {
  const { activity, tell } = open();
  const policy = compiled(documentOf([rule('contradictions.count > 1')]));
  const subject = { ...SUBJECT, ip: '203.0.113.9' };
  t.match(await tell(policy, { subject }), {
    'places.account': { places: [], missedUntilSeconds: 0 },
    'uses.hardware': 'unknown',
  });
  const evidence = SLOTS.map(({ id }) => ({ provider: id, outcome: 'skipped', stored: null }));
  const berlin = { latitude: 52.5, longitude: 13.4 };
  const told = { evidence, place: berlin, decidedAtMs: 1_800_000_000_000 };
  const decision = { ...told, verdict: 'ALLOW' } as unknown as Decision;
  for (let at = 0; at < 70; at += 1) {
    const place = { latitude: at, longitude: 0 };
    activity.remember({ ...told, place, verdict: 'CHALLENGE' } as unknown as Decision, subject);
  }
  t.match(await tell(policy, { subject }), { 'places.account': { places: [], missedUntilSeconds: 0 } });
  activity.remember(decision, subject);
  const gathered = withPhone({ imei_hash: '11111111111111111111111111111111' });
  t.match(await tell(policy, { subject, gathered }), {
    'places.account': { places: [{ latitude: 52.5, longitude: 13.4, atSeconds: 1_800_000_000 }] },
    'uses.hardware': { devices_remembered: 1, accounts_remembered: 1 },
  });
  activity.remember(decision, NOBODY);
  t.match(await tell(policy, { subject: NOBODY }), { 'places.account': 'none' });
  const nowSeconds = 1_800_000_000;
  const forgetful = open({
    take: () => ({ state: createActivityState(nowSeconds, nowSeconds), sinceSeconds: nowSeconds }),
  });
  t.match(await forgetful.tell(policy, { subject }), {
    'places.account': { places: [], missedUntilSeconds: nowSeconds },
  });
  const lost = open({ take: () => null });
  t.match(await lost.tell(policy, { subject }), { 'places.account': 'unknown' });
  t.notMatch(await tell(reading('account.decisions_1h')), { 'places.account': {} });
});
