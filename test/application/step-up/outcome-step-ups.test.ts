import t from 'tap';
import { endStepUpsAtPurge } from '../../../src/application/step-up/end-at-purge.ts';
import { createStepUpForgetting } from '../../../src/application/step-up/forget-step-ups.ts';
import { createOutcomeStepUps } from '../../../src/application/step-up/outcome-step-ups.ts';
import type { SubjectHashes } from '../../../src/application/step-up/step-up-store.ts';
import type { OutcomeLabel } from '../../../src/domain/decision-log/outcome-label.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';

const BY = { caller: 'reviewer', requestId: null };

type Label = OutcomeLabel['label'];

const AT = '2026-01-02T03:04:05.000Z';
const labels = (...given: readonly Label[]): OutcomeLabel[] =>
  given.map((label) => ({ label, at: AT, note: null, caller: 'shop' }));

function open(forgets: number | null = 1, telemetry: string | null = 'h(t)') {
  const done: unknown[] = [];
  const store = {
    forget: async (hashes: SubjectHashes) => {
      done.push({ forget: hashes });
      return forgets;
    },
  };
  const stepUps = {
    addNamed: async (...told: readonly unknown[]) => done.push({ add: told }) > 0,
  };
  const listener = createOutcomeStepUps(stepUps, store);
  const subject = { telemetry, devices: ['h(b)', 'h(a)'], account: 'h(acct)' };
  const record = createDecisionRecord(0, 1, { subject });
  const tell = (label: Label, all: readonly Label[] = [label]) =>
    listener({ record, label, labels: labels(...all), isNew: true, method: 'otp', acr: 'urn:x' });
  return { done, tell, store };
}

const ENDS = [{ forget: { telemetry: ['h(t)'], devices: [], accounts: [] } }];

t.test('keeps a challenge that was passed, since the time of its label', async (t) => {
  const { done, tell } = open();
  t.equal(await tell('challenge_passed'), true);
  const subject = { telemetry: 'h(t)', devices: ['h(a)', 'h(b)'], account: 'h(acct)' };
  t.strictSame(done, [{ add: [subject, { atMs: Date.parse(AT), method: 'otp', acr: 'urn:x' }] }]);
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
    t.strictSame(done, ENDS, all.join());
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
  const memory = createStepUpForgetting(store);
  t.equal(memory.memory, 'step_ups');
  const targets = [
    { part: 'telemetry', id: 't', hashes: ['n(t)', 'o(t)'] },
    { part: 'device', id: 'd', hashes: ['n(d)'] },
    { part: 'account', id: 'a', hashes: ['n(a)'] },
  ] as const;
  t.same(await memory.forget(targets, BY), { removed: 3, isComplete: true });
  t.same(done, [{ forget: { telemetry: ['n(t)', 'o(t)'], devices: ['n(d)'], accounts: ['n(a)'] } }]);
  t.same(await createStepUpForgetting(open(null).store).forget([], BY), { removed: null, isComplete: false });
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
  const both = endStepUpsAtPurge(purge, store, [under('n'), under('o')]);
  t.same(await both({ telemetry_id: 't', ip: '203.0.113.9' }), { providers: ['stytch'], isComplete: true });
  t.same(done, [{ forget: { telemetry: ['n(t)', 'o(t)'], devices: [], accounts: [] } }]);
  t.same(purged, [{ telemetry_id: 't', ip: '203.0.113.9' }]);
  await both({ device_id: 'd', account_id: 'a' });
  t.same(done[1], { forget: { telemetry: [], devices: ['n(d)', 'o(d)'], accounts: ['n(a)', 'o(a)'] } });
  const failing = endStepUpsAtPurge(purge, open(null).store, [under('n')]);
  t.match(await failing({ device_id: 'd' }), { isComplete: false });
});
