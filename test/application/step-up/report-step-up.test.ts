import t from 'tap';
import { createReportStepUp } from '../../../src/application/step-up/report-step-up.ts';
import type { AddedStepUp } from '../../../src/domain/step-up/step-up.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { createManualClock } from '../../support/test-app.ts';

const SHARED: Subject = { telemetryId: 'tel', device: { kind: 'shared', id: 'dev' }, accountId: 'acct' };
const NAMED: Subject = { telemetryId: 'tel', device: { kind: 'named', ids: new Map([['a', 'dev']]) } };

function open(result: AddedStepUp = 'kept') {
  const clock = createManualClock();
  const added: unknown[] = [];
  const add = async (...told: readonly unknown[]) => {
    added.push(told);
    return result;
  };
  const report = createReportStepUp({ add }, clock);
  const tell = (fields: Partial<Parameters<typeof report>[0]> = {}) =>
    report({ subject: SHARED, atMs: null, method: null, acr: null, ...fields });
  return { clock, added, tell };
}

const refusal = (pointer: string) => ({
  name: 'RiskgateError',
  code: 'invalid_request',
  fields: [{ pointer }],
});

t.test('keeps a step-up of now, or of the time that is told', async (t) => {
  const { clock, added, tell } = open();
  const nowMs = clock.nowMs();
  t.same(await tell({ method: 'otp', acr: 'urn:x' }), { atMs: nowMs, method: 'otp', acr: 'urn:x' });
  t.same(await tell({ atMs: nowMs - 5 }), { atMs: nowMs - 5, method: null, acr: null });
  t.same(
    await tell({ atMs: nowMs + 300_000 }),
    { atMs: nowMs, method: null, acr: null, toldAtMs: nowMs + 300_000 },
    'never in the future',
  );
  t.match(added, [
    [SHARED, { atMs: nowMs }],
    [SHARED, { atMs: nowMs - 5 }],
    [SHARED, { atMs: nowMs + 300_000 }],
  ]);
});

t.test('refuses what is no time up to now, and identifiers', async (t) => {
  const { clock, added, tell } = open();
  await t.rejects(tell({ atMs: clock.nowMs() + 300_001 }), refusal('/at'));
  await t.rejects(tell({ atMs: Number.NaN }), refusal('/at'));
  for (const subject of [SHARED, NAMED])
    for (const id of ['tel', 'dev']) await t.rejects(tell({ subject, method: id }), refusal('/method'));
  await t.rejects(tell({ acr: 'acct' }), refusal('/acr'));
  await t.rejects(tell({ acr: 'somebody@example.com' }), refusal('/acr'));
  t.same(added, []);
});

t.test('says so where it is not known to be kept', async (t) => {
  await t.rejects(open('unknown').tell(), { name: 'RiskgateError', code: 'store_unavailable' });
  await t.rejects(open('void').tell(), { name: 'RiskgateError', code: 'conflict' });
});
