import t from 'tap';
import { matchesFilter, type RecordFilter } from '../../../src/domain/decision-log/record-filter.ts';
import { createDecisionRecord, createGapRecord } from '../../support/decision-records.ts';

const TIME_MS = Date.UTC(2026, 0, 1, 12);
const record = createDecisionRecord(TIME_MS, 1);

/** One filter that finds the record and one that does not. */
const CASES: Readonly<Record<string, readonly [RecordFilter, RecordFilter]>> = {
  decision: [{ decision: 'CHALLENGE' }, { decision: 'ALLOW' }],
  reason: [{ reason: 'STYTCH_UNKNOWN' }, { reason: 'OTHER' }],
  caller: [{ caller: 'shop' }, { caller: 'bank' }],
  'entry point': [{ entryPoint: 'decide' }, { entryPoint: 'nginx' }],
  action: [{ action: 'login' }, { action: 'payout' }],
  degraded: [{ degraded: true }, { degraded: false }],
  'policy id': [{ policy: 'default' }, { policy: 'strict' }],
  'policy hash': [{ policy: 'sha256:1' }, { policy: 'sha256:2' }],
  telemetry: [{ telemetry: ['f'.repeat(32), 'a'.repeat(32)] }, { telemetry: ['b'.repeat(32)] }],
  device: [{ device: ['f'.repeat(32), 'b'.repeat(32)] }, { device: ['a'.repeat(32)] }],
  account: [{}, { account: ['a'.repeat(32)] }],
  since: [{ since: '2026-01-01T12:00:00.000Z' }, { since: '2026-01-01T12:00:00.001Z' }],
  until: [{ until: '2026-01-01T12:00:00.001Z' }, { until: '2026-01-01T12:00:00.000Z' }],
  'outcome of a provider': [
    { providerOutcome: { provider: 'stytch', outcome: 'timeout' } },
    { providerOutcome: { provider: 'prefactor', outcome: 'timeout' } },
  ],
  'outcome of a provider that was not known then': [
    {},
    { providerOutcome: { provider: 'constructor', outcome: 'ok' } },
  ],
  'outcome of any provider': [
    { providerOutcome: { provider: null, outcome: 'ok' } },
    { providerOutcome: { provider: null, outcome: 'malformed' } },
  ],
};

t.test('finds a decision by what is recorded of it', async (t) => {
  for (const [name, [finding, missing]] of Object.entries(CASES)) {
    t.equal(matchesFilter(record, finding), true, name);
    t.equal(matchesFilter(record, missing), false, `not by another ${name}`);
  }
});

t.test('finds gaps only where they are asked for, by their times', async (t) => {
  const gap = { ...createGapRecord(TIME_MS, 1), until: '2026-01-01T12:00:05.000Z' };
  t.equal(matchesFilter(gap, {}), false);
  t.equal(matchesFilter(gap, { includesGaps: true, decision: 'ALLOW' }), true);
  t.equal(matchesFilter(gap, { includesGaps: true, since: '2026-01-01T12:00:04.000Z' }), true);
  t.equal(matchesFilter(gap, { includesGaps: true, since: '2026-01-01T12:00:06.000Z' }), false);
  t.equal(matchesFilter(gap, { includesGaps: true, until: '2026-01-01T12:00:00.000Z' }), false);
  t.equal(matchesFilter(gap, { includesGaps: true, until: '2026-01-01T12:00:00.001Z' }), true);
});
