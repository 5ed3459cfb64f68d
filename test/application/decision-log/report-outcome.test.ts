import t from 'tap';
import { reportOutcome } from '../../../src/application/decision-log/report-outcome.ts';
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

async function open() {
  const clock = createManualClock();
  const log = createMemoryDecisionLog({ clock, recordsMax: 10, countsKeptMs: 3_600_000 });
  const subject = { telemetry: 't one', devices: ['d two', 'd three'], account: null, ip: 'i fe80::1' };
  const record = createDecisionRecord(clock.nowMs(), 1, { subject });
  log.append({ number: 1, records: [record] });
  const report = reportOutcome({ log, hashes, clock, formatTime: toRfc3339 });
  const say = (note: string | null, atMs: number | null = null, id = record.decision_id) =>
    report({ id, label: 'fraud', atMs, note, caller: 'shop' });
  return { clock, say };
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
