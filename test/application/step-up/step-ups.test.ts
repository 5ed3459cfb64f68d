import t from 'tap';
import type { ConcludeFacts } from '../../../src/application/facts/fact-source.ts';
import { toStepUpFacts } from '../../../src/application/step-up/step-up-facts.ts';
import type { StepUpStore, SubjectHashes } from '../../../src/application/step-up/step-up-store.ts';
import { createStepUps } from '../../../src/application/step-up/step-ups.ts';
import type { FoundStepUp, StepUp, StepUpSubject } from '../../../src/domain/step-up/step-up.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';
import { createManualClock } from '../../support/test-app.ts';

const SUBJECT: Subject = {
  telemetryId: 't',
  device: {
    kind: 'named',
    ids: new Map([
      ['a', 'z'],
      ['b', 'y'],
      ['c', null],
    ]),
  },
  accountId: 'acct',
};
const DAY_MS = 86_400_000;

const under = (key: string) => {
  const hash = (id: string) => `${key}(${id})`;
  return { keyId: key, telemetry: hash, device: hash, account: hash, ip: hash, network: hash };
};

/** A store that answers by telemetry id and keeps what it was told. */
function open(
  keys: readonly string[],
  found: Readonly<Record<string, FoundStepUp | Promise<FoundStepUp>>> = {},
  voidUntil: Readonly<Record<string, number | null>> = {},
) {
  const clock = createManualClock();
  const asked: [StepUpSubject, number][] = [];
  const added: [StepUpSubject, StepUp, number][] = [];
  const forgotten: SubjectHashes[] = [];
  const voids = new Set<string>();
  const refuses = new Set<string>();
  const store: StepUpStore = {
    kept: async () => [],
    voidUntil: async ({ telemetry }) => {
      const untilMs = voidUntil[telemetry];
      return untilMs === undefined ? 0 : untilMs;
    },
    mayHave: (telemetry) => telemetry in found,
    find: (subject, lossMs) => {
      asked.push([subject, lossMs]);
      return found[subject.telemetry] ?? 'none';
    },
    add: async (...told) => {
      added.push(told);
      if (voids.has(told[0].telemetry)) return 'void';
      return refuses.has(told[0].telemetry) ? 'unknown' : 'kept';
    },
    forget: async (hashes) =>
      hashes.telemetry.some((name) => refuses.has(name)) ? null : forgotten.push(hashes),
  };
  const policy = compiled(documentOf([rule('a.found', { verdict: 'CHALLENGE', step_up: '2d' })]));
  const stepUps = createStepUps({ store, hashes: keys.map(under), clock, policy: () => policy });
  return { clock, asked, added, forgotten, refuses, voids, policy, stepUps };
}

t.test('asks for telemetry id, devices and account together, for as long as the policy needs', async (t) => {
  const stepUp = { atMs: 1, method: null, acr: null };
  const { stepUps, asked } = open(['k'], { 'k(t)': stepUp });
  t.equal(stepUps.find(SUBJECT), stepUp, 'at hand');
  t.same(asked, [[{ telemetry: 'k(t)', devices: ['k(y)', 'k(z)'], account: 'k(acct)' }, 2 * DAY_MS]]);
});

t.test('does not ask for what the store is certain not to have', async (t) => {
  const { stepUps, asked } = open(['k'], { 'k(other)': { atMs: 1, method: null, acr: null } });
  t.equal(stepUps.find(SUBJECT), 'none', 'at hand');
  t.same(asked, []);
});

t.test('has none without a telemetry id', async (t) => {
  const { stepUps, asked } = open(['k']);
  for (const telemetryId of [null, '']) t.equal(stepUps.find({ ...SUBJECT, telemetryId }), 'none');
  t.same(asked, []);
  t.equal(await stepUps.add({ ...SUBJECT, telemetryId: null }, { atMs: 1, method: null, acr: null }), 'kept');
});

t.test('keeps a step-up under the hash key in force alone, and not in the future', async (t) => {
  const { stepUps, added, refuses, clock } = open(['new', 'old']);
  const told = { atMs: clock.nowMs() + 60_000, method: 'otp', acr: null };
  t.equal(await stepUps.add(SUBJECT, told), 'kept');
  const kept = { atMs: clock.nowMs(), method: 'otp', acr: null, toldAtMs: told.atMs };
  t.match(added, [[{ telemetry: 'new(t)' }, kept, 2 * DAY_MS]]);
  t.equal(added.length, 1, 'what a record ends is all there is');
  refuses.add('new(t)');
  t.equal(await stepUps.add(SUBJECT, told), 'unknown');
});

t.test('finds the latest under any hash key, and moves it to that in force', async (t) => {
  const [older, later] = [
    { atMs: 1, method: 'a', acr: null },
    { atMs: 2, method: 'b', acr: null },
  ];
  const { stepUps, added, forgotten } = open(['new', 'old', 'oldest'], {
    'old(t)': older,
    'oldest(t)': later,
  });
  t.equal(await stepUps.find(SUBJECT), later);
  t.match(added, [
    [{ telemetry: 'new(t)' }, older],
    [{ telemetry: 'new(t)' }, later],
  ]);
  t.match(forgotten, [{ telemetry: ['old(t)'], devices: [], accounts: [] }, { telemetry: ['oldest(t)'] }]);
});

t.test('knows nothing where any may be lost, or would outlive the outcome of the decision', async (t) => {
  const stepUp = { atMs: 1, method: 'a', acr: null };
  const kept = { 'new(t)': { ...stepUp, atMs: 3 }, 'old(t)': stepUp };
  const stuck = open(['new', 'old'], kept);
  stuck.refuses.add('new(t)');
  t.equal(await stuck.stepUps.find(SUBJECT), 'unknown', 'it cannot be kept under the key in force');
  t.same(stuck.forgotten, []);
  const left = open(['new', 'old'], kept);
  left.refuses.add('old(t)');
  t.equal(await left.stepUps.find(SUBJECT), 'unknown', 'it stays under the other');
  t.equal(await open(['new', 'old'], { ...kept, 'old(t)': 'unknown' }).stepUps.find(SUBJECT), 'unknown');
  t.equal(await open(['new', 'old']).stepUps.find(SUBJECT), 'none');
});

t.test('has none where what would move was ended under the key in force', async (t) => {
  const { stepUps, voids, forgotten } = open(['new', 'old'], {
    'old(t)': { atMs: 1, method: 'a', acr: null },
  });
  voids.add('new(t)');
  t.equal(await stepUps.find(SUBJECT), 'none');
  t.match(forgotten, [{ telemetry: ['old(t)'] }], 'nor does it stay behind');
});

t.test('has none where the outcome of a decision under another hash key has made it void', async (t) => {
  const found = { 'new(t)': { atMs: 5, method: 'a', acr: null } };
  const ended = open(['new', 'old', 'oldest'], found, { 'old(t)': 5, 'oldest(t)': 1 });
  t.equal(await ended.stepUps.find(SUBJECT), 'none');
  t.match(ended.forgotten, [{ telemetry: ['new(t)'] }], 'the key in force remembers it');
  t.equal(await open(['new', 'old'], found, { 'old(t)': 4 }).stepUps.find(SUBJECT), found['new(t)']);
  t.equal(await open(['new', 'old'], found, { 'old(t)': null }).stepUps.find(SUBJECT), 'unknown');
  const stuck = open(['new', 'old'], found, { 'old(t)': 5 });
  stuck.refuses.add('new(t)');
  t.equal(await stuck.stepUps.find(SUBJECT), 'unknown');
});

t.test('tells the step-up as a fact, and what is late as unknown', async (t) => {
  const { clock, policy } = open(['k']);
  const ask = async (
    found: FoundStepUp | Promise<FoundStepUp>,
    deadlineAtMs = clock.monotonicMs() + 60_000,
    asked = policy,
  ) => {
    const source = toStepUpFacts({ find: () => found }, clock);
    t.same(source.names, ['step_up']);
    const conclude: ConcludeFacts = await source.ask({ subject: SUBJECT, policy: asked, deadlineAtMs });
    return conclude({ gathered: [], facts: {}, nowMs: 10_000 });
  };
  const stepUp = { atMs: 4_000, method: 'otp', acr: null };
  const expected = { step_up: { age_seconds: 6, method: 'otp', acr: '' } };
  t.same(await ask(stepUp), expected);
  t.same(await ask(Promise.resolve(stepUp)), expected);
  t.same(await ask('none'), { step_up: 'none' });
  const curious = compiled(documentOf([rule('step_up.age_seconds > 5')]));
  t.same(await ask('none', undefined, curious), {
    step_up: { age_seconds: 2_147_483_647, method: '', acr: '' },
  });
  t.same(await ask(new Promise(() => {}), clock.monotonicMs()), { step_up: 'unknown' });
});
