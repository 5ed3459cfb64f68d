import t from 'tap';
import type {
  ChallengeDetails,
  OnOutcome,
  ToldOutcome,
} from '../../../src/application/decision-log/outcome-listener.ts';
import { reportOutcome } from '../../../src/application/decision-log/report-outcome.ts';
import type { OutcomeLabel } from '../../../src/domain/decision-log/outcome-label.ts';
import { LABELS_MAX } from '../../../src/domain/decision-log/outcome-label.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createMemoryDecisionLog } from '../../../src/stores/decision-log/memory/decision-log.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import { createManualClock } from '../../support/test-app.ts';

const hash = (kind: string) => (id: string) => `${kind} ${id}`;
const hashes = [
  {
    keyId: '0a1b2c3d',
    telemetry: hash('t'),
    device: hash('d'),
    account: hash('a'),
    ip: hash('i'),
    network: hash('i'),
  },
];

async function open(listeners: readonly OnOutcome[] = []) {
  const clock = createManualClock();
  const log = createMemoryDecisionLog({ clock, recordsMax: 10, countsKeptMs: 3_600_000 });
  const subject = { telemetry: 't one', devices: ['d two', 'd three'], account: null, ip: 'i fe80::1' };
  const record = createDecisionRecord(clock.nowMs(), 1, { subject });
  log.append({ number: 1, records: [record] });
  const report = reportOutcome({ log, hashes, clock, formatTime: toRfc3339, listeners });
  const say = (note: string | null, atMs: number | null = null, id = record.decision_id) =>
    report({ id, label: 'fraud', atMs, note, caller: 'shop', method: null, acr: null, labelsSeen: null });
  const tell = (label: OutcomeLabel['label'], details: Partial<ChallengeDetails> = {}) =>
    report({
      id: record.decision_id,
      label,
      atMs: null,
      note: null,
      caller: 'shop',
      method: null,
      acr: null,
      labelsSeen: null,
      ...details,
    });
  return { clock, record, say, tell, report };
}

const refusal = { name: 'RiskgateError', code: 'invalid_request' };

t.test('dates what has no time, once', async (t) => {
  const { clock, say } = await open();
  const at = toRfc3339(clock.nowMs());
  t.same(await say(null), [{ label: 'fraud', at, note: null, caller: 'shop' }]);
  clock.advance(1000);
  t.same((await say(null))?.length, 1);
  t.same((await say(null, clock.nowMs()))?.length, 2, 'a time that is given is another statement');
  t.equal(await say(null, null, 'nobody'), null);
  t.equal(await say('a note', null, 'nobody'), null);
});

t.test('refuses a time to come and a time that is none', async (t) => {
  const { clock, say } = await open();
  await t.rejects(say(null, clock.nowMs() + 300_001), refusal);
  await t.rejects(say(null, Number.NaN), refusal);
  t.equal((await say(null, clock.nowMs() + 300_000))?.length, 1, 'clocks differ');
});

t.test('takes back what was said, now alone', async (t) => {
  const { clock, tell, record, report } = await open();
  await tell('fraud');
  const back = {
    id: record.decision_id,
    label: 'withdrawn',
    note: null,
    caller: 'shop',
    method: null,
    acr: null,
    labelsSeen: null,
  } as const;
  await t.rejects(report({ ...back, atMs: clock.nowMs() }), { ...refusal, fields: [{ pointer: '/at' }] });
  t.match(await report({ ...back, atMs: null }), [{ label: 'fraud' }, { label: 'withdrawn' }]);
});

t.test('takes back nothing that somebody else has said meanwhile', async (t) => {
  const { record, report, say, tell } = await open();
  const seen = (await say(null))?.length ?? 0;
  await tell('legit');
  const back = { id: record.decision_id, label: 'withdrawn', atMs: null, note: null } as const;
  const untold = { caller: 'shop', method: null, acr: null };
  await t.rejects(report({ ...back, ...untold, labelsSeen: seen }), {
    name: 'RiskgateError',
    code: 'conflict',
  });
  t.match(await tell('legit'), [{ label: 'fraud' }, { label: 'legit' }], 'nothing was recorded');
  t.equal((await report({ ...back, ...untold, labelsSeen: seen + 1 }))?.length, 3);
  t.equal((await report({ ...back, ...untold, labelsSeen: seen + 1 }))?.length, 3, 'a retry is no conflict');
});

t.test('refuses more labels than a decision can have', async (t) => {
  const { clock, say } = await open();
  for (let said = 0; said < LABELS_MAX; said += 1) await say(null, clock.nowMs() - said);
  await t.rejects(say(null, clock.nowMs() - LABELS_MAX), { ...refusal, fields: [{ pointer: '/label' }] });
});

t.test('refuses a note that names the subject', async (t) => {
  const { say } = await open();
  for (const note of ['one', 'it was three', 'two!']) {
    const error: unknown = await say(note).catch((reason: unknown) => reason);
    t.ok(error instanceof RiskgateError);
    t.match(error, { ...refusal, fields: [{ pointer: '/note' }] });
    t.notMatch(JSON.stringify(error), note);
  }
  t.equal((await say('four'))?.length, 1);
});

t.test('tells listeners what became of a decision, also when it is told again', async (t) => {
  const told: ToldOutcome[] = [];
  const listener: OnOutcome = async (outcome) => told.push(outcome) > 0;
  const { record, tell } = await open([listener]);
  await tell('challenge_passed', { method: 'otp', acr: 'urn:x' });
  await tell('challenge_passed');
  t.match(told, [
    {
      record: { decision_id: record.decision_id },
      label: 'challenge_passed',
      isNew: true,
      method: 'otp',
      acr: 'urn:x',
    },
    {
      label: 'challenge_passed',
      isNew: false,
      method: null,
      acr: null,
      labels: [{ label: 'challenge_passed' }],
    },
  ]);
});

t.test('refuses what a listener could not do, with the outcome recorded', async (t) => {
  const done: boolean[] = [];
  const { tell } = await open([async () => done.push(true) > 1, async () => true]);
  await t.rejects(tell('challenge_passed'), { name: 'RiskgateError', code: 'store_unavailable' });
  t.match(await tell('challenge_passed'), [{ label: 'challenge_passed' }], 'and takes it when repeated');
});

t.test('takes how a challenge was passed for that label alone, and without identifiers', async (t) => {
  const { tell } = await open();
  await t.rejects(tell('fraud', { method: 'otp' }), { ...refusal, fields: [{ pointer: '/method' }] });
  await t.rejects(tell('legit', { acr: 'urn:x' }), { ...refusal, fields: [{ pointer: '/acr' }] });
  await t.rejects(tell('challenge_passed', { acr: 'a@example.com' }), {
    ...refusal,
    fields: [{ pointer: '/acr' }],
  });
  await t.rejects(tell('challenge_passed', { method: '4111111111111111' }), refusal);
});

t.test('waits for the record of a decision that was made just now, and checks its note then', async (t) => {
  const clock = createManualClock(Date.UTC(2027, 0, 1));
  const log = createMemoryDecisionLog({ clock, recordsMax: 10, countsKeptMs: 3_600_000 });
  const subject = { telemetry: 't one', devices: [], account: null, ip: null };
  const report = reportOutcome({ log, hashes, clock, formatTime: toRfc3339, listeners: [] });
  const say = (id: string, note: string | null) =>
    report({
      id,
      label: 'fraud',
      atMs: null,
      note,
      caller: 'shop',
      method: null,
      acr: null,
      labelsSeen: null,
    });
  for (const [serial, note, expected] of [
    [1, null, [{ label: 'fraud' }]],
    [2, 'it was one', refusal],
  ] as const) {
    const record = createDecisionRecord(clock.nowMs(), serial, { subject });
    const said = say(record.decision_id, note).catch((error: unknown) => error);
    setTimeout(() => log.append({ number: serial, records: [record] }), 50);
    t.match(await said, expected);
  }
  const old = createDecisionRecord(clock.nowMs() - 2_000, 3, { subject });
  setTimeout(() => log.append({ number: 3, records: [old] }), 50);
  t.equal(await say(old.decision_id, null), null, 'of an older one nothing is waited for');
});
