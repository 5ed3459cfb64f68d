import t from 'tap';
import { type CustodyUse, createCustody } from '../../../src/application/custody/custody.ts';
import type { CustodyName, CustodyStore } from '../../../src/application/custody/custody-store.ts';
import type { EvidenceSource } from '../../../src/application/evidence/evidence-source.ts';
import type { Gathered, ProviderSlot } from '../../../src/application/evidence/gather-evidence.ts';
import type { CustodyRecord, CustodyUser } from '../../../src/domain/custody.ts';
import type { Outcome, Signals } from '../../../src/domain/evidence.ts';
import type { DeviceIds, Subject } from '../../../src/domain/subject.ts';
import { createManualClock } from '../../support/test-app.ts';

const RECORD: CustodyRecord = {
  uses: 1,
  firstUsedAtMs: 0,
  isBoundElsewhere: false,
  omitsDevice: false,
  omitsAccount: false,
  validUntilMs: null,
  isKept: true,
  loss: null,
};
const DEADLINE_MS = 1_000;
/** Long after every deadline here, so that a test that waits for it fails by its own timeout. */
const FAR_MS = 60_000;

/** A store that writes down what it is told, and answers what it is given. */
function createStore(answer: ReturnType<CustodyStore['use']> = RECORD) {
  const uses: CustodyName[] = [];
  const kept: (readonly [string, number | null])[] = [];
  const store: CustodyStore = {
    use: (names) => {
      uses.push(...names);
      return answer;
    },
    keep: (keys, validUntilMs) => void kept.push([keys.join(), validUntilMs]),
    forget: () => 0,
  };
  return { store, uses, kept };
}

function createSource(id: string, subject: ProviderSlot['subject'], isSuspect = false): EvidenceSource {
  return {
    id,
    subject,
    look: () => {
      throw new Error('custody asks no provider');
    },
    present: (signals) => signals,
    subjectExpiresAtMs: (signals) => (typeof signals['until'] === 'number' ? signals['until'] : null),
    subjectCreatedAtMs: (signals) => (typeof signals['from'] === 'number' ? signals['from'] : null),
    visitorOf: () => null,
    placeOf: () => ({ country: null, asn: null }),
    notFoundSignals: { found: false },
    keyOf: (key) => key,
    olderKeysOf: () => [],
    isSuspect: () => isSuspect,
  };
}

const [TELEMETRY_SLOT, PHONE_SLOT, COOKIE_SLOT]: readonly [ProviderSlot, ProviderSlot, ProviderSlot] = [
  { id: 's', subject: 'telemetry_id', source: createSource('s', 'telemetry_id') },
  { id: 'm', subject: 'device_id', source: createSource('m', 'device_id') },
  { id: 'p', subject: 'device_id', source: createSource('p', 'device_id') },
];
const SLOTS: readonly ProviderSlot[] = [TELEMETRY_SLOT, PHONE_SLOT, COOKIE_SLOT];

function disable(...ids: readonly string[]): readonly ProviderSlot[] {
  return SLOTS.map((slot) => (ids.includes(slot.id) ? { ...slot, source: null } : slot));
}

/** What the use of a telemetry id `t` is kept under. */
const NAMES = [{ key: 'T(t)', user: {} }];

const HASHES = {
  telemetry: (id: string) => `T(${id})`,
  device: (id: string) => `D(${id})`,
  account: (id: string) => `A(${id})`,
};

function open(slots: readonly ProviderSlot[] = SLOTS, answer?: ReturnType<CustodyStore['use']>) {
  const clock = createManualClock(0);
  const recorded = createStore(answer);
  const heard: string[] = [];
  const observer = { onCustody: ({ result }: { result: string }) => void heard.push(result) };
  return {
    ...recorded,
    heard,
    clock,
    custody: createCustody({ slots, store: recorded.store, hashes: [HASHES], clock, observer }),
  };
}

function subjectOf(device: DeviceIds, fields: Partial<Subject> = {}): Subject {
  return { telemetryId: 't', device, ...fields };
}

const shared = (id: string | null): DeviceIds => ({ kind: 'shared', id });
const named = (ids: Readonly<Record<string, string | null>>): DeviceIds => ({
  kind: 'named',
  ids: new Map(Object.entries(ids)),
});

/** The user that a subject is. */
function userOf(subject: Subject, slots?: readonly ProviderSlot[]): CustodyUser | undefined {
  const { custody, uses } = open(slots);
  void custody.take(subject, DEADLINE_MS);
  return uses[0]?.user;
}

t.test('keeps a telemetry id under its hash, with the hashes of device and account', async (t) => {
  const { custody, uses } = open();
  const use = custody.take(subjectOf(shared('d'), { accountId: 'a' }), DEADLINE_MS);
  t.match(use, { names: NAMES, record: RECORD }, 'in place');
  t.strictSame(uses, [{ key: 'T(t)', user: { account: 'A(a)', 'device:m': 'D(d)', 'device:p': 'D(d)' } }]);
});

t.test(
  'names a telemetry id, device and account under every hash key, and has all of them kept',
  async (t) => {
    const recorded = createStore({ ...RECORD, isKept: false });
    const older = {
      telemetry: (id: string) => `t(${id})`,
      device: (id: string) => `d(${id})`,
      account: HASHES.account,
    };
    const custody = createCustody({
      slots: SLOTS,
      store: recorded.store,
      hashes: [HASHES, older],
      clock: createManualClock(0),
      observer: { onCustody: () => {} },
    });
    const use = custody.take(subjectOf(named({ m: 'x' })), DEADLINE_MS) as CustodyUse;
    t.strictSame(use.names, [
      { key: 'T(t)', user: { 'device:m': 'D(x)' } },
      { key: 't(t)', user: { 'device:m': 'd(x)' } },
    ]);
    custody.conclude(use, gathered('ok', { found: true, until: 5 }), 0);
    t.same(recorded.kept, [['T(t),t(t)', 5]]);
  },
);

t.test('keeps nothing where there is no telemetry id that could be asked about', async (t) => {
  for (const telemetryId of [null, '', '\ud800']) {
    const { custody, uses } = open();
    const use = custody.take({ ...subjectOf(shared('d')), telemetryId }, DEADLINE_MS) as CustodyUse;
    t.strictSame(use, { names: [], record: null });
    t.same(uses, []);
    t.equal(custody.conclude(use, [], 0), 'none');
  }
});

t.test('keeps all spellings of a telemetry id that a provider may take for one under one key', async (t) => {
  const { custody, uses } = open();
  for (const telemetryId of ['a1-B2', 'A1-b2', 'a1-b2'])
    void custody.take({ ...subjectOf(shared('d')), telemetryId }, DEADLINE_MS);
  t.strictSame(
    uses.map(({ key }) => key),
    ['T(a1-b2)', 'T(a1-b2)', 'T(a1-b2)'],
  );
});

t.test('names the device at each enabled device API, as the subject names it', async (t) => {
  t.same(userOf(subjectOf(named({ m: 'd1', p: 'd2' }))), { 'device:m': 'D(d1)', 'device:p': 'D(d2)' });
  t.same(userOf(subjectOf(named({ m: 'd1' }))), { 'device:m': 'D(d1)' });
  t.same(userOf(subjectOf(named({ m: 'd1', p: null }))), { 'device:m': 'D(d1)' });
  t.same(userOf(subjectOf(shared(null))), {});
  t.same(userOf(subjectOf(shared('')), SLOTS), {});
  t.same(userOf(subjectOf(shared('\udfff'), { accountId: '' })), {}, 'nothing that cannot be asked about');
  t.same(userOf(subjectOf(shared('d')), disable('m')), { 'device:p': 'D(d)' });
  t.same(userOf(subjectOf(named({ m: 'd1', p: 'd2' })), disable('m')), { 'device:p': 'D(d2)' });
});

t.test('names the device although no device API is enabled', async (t) => {
  const slots = disable('m', 'p');
  t.same(userOf(subjectOf(shared('d')), slots), { 'device:m': 'D(d)', 'device:p': 'D(d)' });
});

t.test('waits for a store that is not at hand', async (t) => {
  const { custody } = open(SLOTS, Promise.resolve(RECORD));
  const use = custody.take(subjectOf(shared('d')), FAR_MS);
  t.type(use, Promise);
  t.match(await use, { names: NAMES, record: RECORD });
});

t.test('is unknown when the store fails, or has not answered by the deadline', async (t) => {
  for (const [answer, deadlineMs] of [
    [null, FAR_MS],
    [Promise.resolve(null), FAR_MS],
    [new Promise<never>(() => {}), 5],
    [new Promise<never>(() => {}), -5],
  ] as const) {
    const { custody, kept } = open(SLOTS, answer);
    const use = await custody.take(subjectOf(shared('d')), deadlineMs);
    t.match(use, { names: NAMES, record: null });
    t.equal(custody.conclude(use, gathered('ok', { found: true, until: 5 }), 0), 'unknown');
    t.same(kept, [], 'and nothing is kept');
  }
});

/** Evidence of the telemetry provider, and of device APIs that say of expiries what nobody should believe. */
function gathered(outcome: Outcome, signals: Signals | null): readonly Gathered[] {
  const at = (slot: ProviderSlot, of: Outcome, said: Signals | null): Gathered => ({
    slot,
    evidence: {
      provider: slot.id,
      outcome: of,
      signals: said,
      observedAtMs: 0,
      expiresAtMs: null,
      upstreamRequestId: null,
    },
    origin: 'miss',
    latencyMs: 0,
  });
  return [
    at(TELEMETRY_SLOT, outcome, signals),
    at(PHONE_SLOT, 'timeout', null),
    at(COOKIE_SLOT, 'not_found', { found: false, until: 1 }),
  ];
}

/** What a use with this record comes to, and what the store learns from it. */
function concluded(record: Partial<CustodyRecord>, pieces: readonly Gathered[], slots = SLOTS) {
  const { custody, kept } = open(slots);
  const ofSlots = pieces.map((piece, place) => ({ ...piece, slot: slots[place] ?? piece.slot }));
  const signals = custody.conclude({ names: NAMES, record: { ...RECORD, ...record } }, ofSlots, 10_000);
  return { signals, kept };
}

/** A record of a binding that nobody has asked to keep. */
const NEW = { isKept: false };
const FIRST_USE = {
  uses: 1,
  age_seconds: 10,
  bound_elsewhere: false,
  omits_device: false,
  omits_account: false,
};

t.test('takes the expiry from the providers of telemetry ids alone, and passes it on once', async (t) => {
  const pieces = gathered('ok', { found: true, until: 20_000 });
  t.strictSame(concluded({}, pieces), {
    signals: { ...FIRST_USE, expired: false },
    kept: [['T(t)', 20_000]],
  });
  t.same(concluded({ validUntilMs: 20_000 }, pieces).kept, []);
  t.same(concluded({ validUntilMs: 30_000 }, pieces).kept, [['T(t)', 20_000]]);
  t.match(concluded({}, gathered('ok', { found: true, until: 10_000 })).signals, { expired: true });
});

t.test(
  'does not know custody of an id that may have been forgotten, and learns of it all the same',
  async (t) => {
    const loss = { noticedAtMs: 50_000, overAtMs: 90_000 };
    const second: ProviderSlot = {
      id: 'q',
      subject: 'telemetry_id',
      source: createSource('q', 'telemetry_id'),
    };
    const comesTo = (from: number | null, slots = SLOTS) =>
      concluded({ loss }, gathered('ok', { found: true, until: 99_000, ...(from && { from }) }), slots);
    t.strictSame(comesTo(1), { signals: 'unknown', kept: [['T(t)', 99_000]] });
    t.match(comesTo(80_000).signals, FIRST_USE, 'created after the loss');
    t.equal(comesTo(null).signals, 'unknown');
    t.equal(comesTo(80_000, disable('s')).signals, 'unknown', 'nobody who could say it is asked');
    t.equal(concluded({ loss }, gathered('timeout', null)).signals, 'unknown');
    t.match(concluded({ loss, firstUsedAtMs: 90_000 }, gathered('ok', { found: true })).signals, { uses: 1 });
    const [young] = gathered('ok', { found: true, from: 80_000 });
    const [old] = gathered('ok', { found: true, from: 1 });
    for (const pieces of [
      [young, old],
      [old, young],
    ]) {
      const present = pieces.filter((piece) => piece !== undefined);
      t.equal(
        concluded({ loss }, present, [...SLOTS.slice(0, 1), second]).signals,
        'unknown',
        'the earliest',
      );
    }
  },
);

t.test('takes the earliest expiry where several providers say one', async (t) => {
  const second: ProviderSlot = {
    id: 'q',
    subject: 'telemetry_id',
    source: createSource('q', 'telemetry_id'),
  };
  const [first] = gathered('ok', { found: true, until: 30_000 });
  const [last] = gathered('ok', { found: true, until: 20_000 });
  for (const pieces of [
    [first, last],
    [last, first],
  ]) {
    const present = pieces.filter((piece) => piece !== undefined);
    const { kept } = concluded({}, present, [...SLOTS.slice(0, 1), second]);
    t.same(kept, [['T(t)', 20_000]]);
  }
});

t.test('does not know the expiry while its provider is lost', async (t) => {
  t.strictSame(concluded({}, gathered('timeout', null)), { signals: FIRST_USE, kept: [] });
  const suspect = SLOTS.map((slot) => ({ ...slot, source: createSource(slot.id, slot.subject, true) }));
  const doubted = concluded({}, gathered('not_found', { found: false }), suspect);
  t.strictSame(doubted, { signals: FIRST_USE, kept: [] }, 'which says so of every id');
});

t.test('does not wait for a provider that is disabled', async (t) => {
  t.strictSame(concluded({}, gathered('skipped', null), disable('s')), {
    signals: { ...FIRST_USE, expired: false },
    kept: [],
  });
});

t.test('has a binding kept unless its provider does not know the id', async (t) => {
  const unknownId = gathered('not_found', { found: false });
  t.same(concluded(NEW, unknownId).kept, []);
  t.same(concluded(NEW, gathered('ok', { found: true })).kept, [['T(t)', null]]);
  t.same(concluded({}, gathered('ok', { found: true })).kept, [], 'once is enough');
});

t.test('has a binding kept of an id that nobody could speak of', async (t) => {
  for (const [outcome, slots] of [
    ['timeout', SLOTS],
    ['skipped', disable('s')],
  ] as const)
    t.same(concluded(NEW, gathered(outcome, null), slots).kept, [['T(t)', null]], outcome);
  const suspect = SLOTS.map((slot) => ({ ...slot, source: createSource(slot.id, slot.subject, true) }));
  t.same(concluded(NEW, gathered('not_found', { found: false }), suspect).kept, [['T(t)', null]], 'in doubt');
});

t.test('tells how custody came out, once for each telemetry id that was examined', async (t) => {
  const results = (record: CustodyRecord | null, names: readonly CustodyName[] = NAMES) => {
    const { custody, heard } = open();
    custody.conclude({ names, record }, gathered('ok', { found: true }), 0);
    return heard;
  };
  t.same(results(RECORD), ['first_use']);
  t.same(results({ ...RECORD, uses: 2 }), ['repeated']);
  t.same(results({ ...RECORD, uses: 2, isBoundElsewhere: true }), ['bound_elsewhere']);
  t.same(results(null), ['unknown']);
  t.same(results(null, []), [], 'nothing without a telemetry id');
});
