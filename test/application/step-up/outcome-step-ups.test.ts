import t from 'tap';
import { endStepUpsAtPurge } from '../../../src/application/step-up/end-at-purge.ts';
import { createStepUpForgetting } from '../../../src/application/step-up/forget-step-ups.ts';
import { createOutcomeStepUps } from '../../../src/application/step-up/outcome-step-ups.ts';
import type { SubjectHashes } from '../../../src/application/step-up/step-up-store.ts';
import type { OutcomeLabel } from '../../../src/domain/decision-log/outcome-label.ts';
import type { AddedStepUp } from '../../../src/domain/step-up/step-up.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

const BY = { caller: 'reviewer', requestId: null };

type Label = OutcomeLabel['label'];

const AT = '2026-01-02T03:04:05.000Z';
const labels = (...given: readonly Label[]): OutcomeLabel[] =>
  given.map((label) => ({ label, at: AT, note: null, caller: 'shop' }));

const CLOCK = createManualClock();
/** Up to when is void what ends now, with what the clocks of replicas may differ. */
const VOID_UNTIL_MS = CLOCK.nowMs() + 5_000;

function open(forgets: number | null = 1, telemetry: string | null = 'h(t)', added: AddedStepUp = 'kept') {
  const done: unknown[] = [];
  const store = {
    forget: async (hashes: SubjectHashes, voidUntilMs: number) => {
      done.push({ forget: hashes, voidUntilMs });
      return forgets;
    },
  };
  const stepUps = {
    addNamed: async (...told: readonly unknown[]) => {
      done.push({ add: told });
      return added;
    },
  };
  const listener = createOutcomeStepUps(stepUps, store, CLOCK);
  const subject = { telemetry, devices: ['h(b)', 'h(a)'], account: 'h(acct)' };
  const record = createDecisionRecord(0, 1, { subject });
  const tell = (label: Label, all: readonly Label[] = [label]) =>
    listener({
      record,
      label,
      labels: labels(...all),
      atMs: AT_MS,
      isNew: true,
      method: 'otp',
      acr: 'urn:x',
    });
  return { done, tell, store };
}

const AT_MS = Date.parse('2025-12-31T00:00:00Z');
const endsUpTo = (voidUntilMs: number) => [
  { forget: { telemetry: ['h(t)'], devices: [], accounts: [] }, voidUntilMs },
];

t.test('keeps a challenge that was passed, since the time at which it was said', async (t) => {
  const { done, tell } = open();
  t.equal(await tell('challenge_passed'), true);
  const subject = { telemetry: 'h(t)', devices: ['h(a)', 'h(b)'], account: 'h(acct)' };
  t.strictSame(done, [{ add: [subject, { atMs: AT_MS, method: 'otp', acr: 'urn:x' }] }]);
});

t.test('is done with a challenge whose step-up was ended, and not where that is not known', async (t) => {
  t.equal(await open(1, 'h(t)', 'void').tell('challenge_passed'), true);
  t.equal(await open(1, 'h(t)', 'unknown').tell('challenge_passed'), false);
});

t.test('keeps none that is told to have failed later, or to be a fraud', async (t) => {
  const { done, tell } = open();
  for (const later of ['challenge_failed', 'fraud'] as const)
    await tell('challenge_passed', ['challenge_passed', later]);
  t.same(done, []);
});

t.test('ends step-ups with a failed challenge and a fraud', async (t) => {
  for (const [label, all] of [
    ['challenge_failed', ['challenge_failed']],
    ['challenge_failed', ['challenge_passed', 'challenge_failed']],
    ['fraud', ['fraud']],
    ['fraud', ['fraud', 'challenge_passed']],
    ['withdrawn', ['challenge_passed', 'withdrawn']],
  ] as const) {
    const { done, tell } = open();
    t.equal(await tell(label, all), true);
    // Who has failed may pass a moment later.
    const voidUntilMs = label === 'challenge_failed' ? CLOCK.nowMs() : VOID_UNTIL_MS;
    t.strictSame(done, endsUpTo(voidUntilMs), all.join());
  }
  t.equal(await open(null).tell('fraud'), false, 'and says so where it cannot');
});

t.test('does nothing of a challenge that failed before it was passed, and of other labels', async (t) => {
  const { done, tell } = open();
  await tell('challenge_failed', ['challenge_failed', 'challenge_passed']);
  for (const label of ['legit', 'abandoned', 'withdrawn'] as const) t.equal(await tell(label), true);
  t.equal(await tell('withdrawn', ['fraud', 'withdrawn']), true);
  const without = open(1, null);
  for (const label of ['challenge_passed', 'fraud'] as const) t.equal(await without.tell(label), true);
  t.same([...done, ...without.done], [], 'nor of a decision without a telemetry id');
});

t.test('forgets by each part, and counts', async (t) => {
  const { done, store } = open(3);
  const memory = createStepUpForgetting(store, CLOCK);
  t.equal(memory.memory, 'step_ups');
  const targets = [
    { part: 'telemetry', id: 't', hashes: ['n(t)', 'o(t)'] },
    { part: 'device', id: 'd', hashes: ['n(d)'] },
    { part: 'account', id: 'a', hashes: ['n(a)'] },
  ] as const;
  t.same(await memory.forget(targets, BY), { removed: 3, isComplete: true });
  t.same(done, [
    {
      forget: { telemetry: ['n(t)', 'o(t)'], devices: ['n(d)'], accounts: ['n(a)'] },
      voidUntilMs: VOID_UNTIL_MS,
    },
  ]);
  t.same(await createStepUpForgetting(open(null).store, CLOCK).forget([], BY), {
    removed: null,
    isComplete: false,
  });
});

t.test('ends step-ups with the evidence about an id, under every hash key', async (t) => {
  const under = (key: string) => {
    const hash = (id: string) => `${key}(${id})`;
    return { keyId: key, telemetry: hash, device: hash, account: hash, ip: hash, network: hash };
  };
  const purged: unknown[] = [];
  const purge = async (target: object) => {
    purged.push(target);
    return { providers: ['stytch'], isComplete: true };
  };
  const { done, store } = open();
  const both = endStepUpsAtPurge(purge, store, [under('n'), under('o')], CLOCK);
  t.same(await both({ telemetry_id: 't', ip: '203.0.113.9' }), { providers: ['stytch'], isComplete: true });
  t.same(done, [
    { forget: { telemetry: ['n(t)', 'o(t)'], devices: [], accounts: [] }, voidUntilMs: VOID_UNTIL_MS },
  ]);
  t.same(purged, [{ telemetry_id: 't', ip: '203.0.113.9' }]);
  await both({ device_id: 'd', account_id: 'a' });
  t.match(done[1], { forget: { telemetry: [], devices: ['n(d)', 'o(d)'], accounts: ['n(a)', 'o(a)'] } });
  const failing = endStepUpsAtPurge(purge, open(null).store, [under('n')], CLOCK);
  t.match(await failing({ device_id: 'd' }), { isComplete: false });
});
