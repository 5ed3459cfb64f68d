import t from 'tap';
import { matchesFilter, type RecordFilter } from '../../../src/domain/decision-log/record-filter.ts';
import { createDecisionRecord, createGapRecord } from '../../support/decision-records.ts';

const TIME_MS = Date.UTC(2026, 0, 1, 12);
const plain = createDecisionRecord(TIME_MS, 1);
const record = {
  ...plain,
  subject: { ...plain.subject, ip: 'c'.repeat(32), network: 'd'.repeat(32), visitor: 'e'.repeat(32) },
  providers: {
    ...plain.providers,
    prefactor: { ...plain.providers['prefactor'], signals: { found: true, country: 'DE', asn: 3320 } },
  },
} as typeof plain;

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
  address: [{ ip: ['f'.repeat(32), 'c'.repeat(32)] }, { ip: ['e'.repeat(32)] }],
  'network of an address': [{ ip: ['d'.repeat(32)] }, { ip: ['a'.repeat(32)] }],
  visitor: [{ visitor: ['e'.repeat(32)] }, { visitor: ['c'.repeat(32)] }],
  'any part of the subject': [{ subject: ['f'.repeat(32), 'd'.repeat(32)] }, { subject: ['f'.repeat(32)] }],
  'rule that was true': [
    { rule: { name: 'two', result: 'true' } },
    { rule: { name: 'one', result: 'true' } },
  ],
  'rule that was unknown': [
    { rule: { name: 'one', result: 'unknown' } },
    { rule: { name: 'two', result: 'unknown' } },
  ],
  'rule that was waived': [
    { rule: { name: 'three', result: 'waived' } },
    { rule: { name: 'one', result: 'waived' } },
  ],
  'code of a rule': [
    { rule: { name: 'STYTCH_UNKNOWN', result: 'unknown' } },
    { rule: { name: 'STYTCH_UNKNOWN', result: 'true' } },
  ],
  'code of a waived rule': [
    { rule: { name: 'LENIENT', result: 'waived' } },
    { rule: { name: 'LENIENT', result: 'unknown' } },
  ],
  country: [{ country: 'DE' }, { country: 'none' }],
  'autonomous system': [{ asn: 3320 }, { asn: 'none' }],
  'country and autonomous system': [
    { country: 'DE', asn: 3320 },
    { country: 'DE', asn: 1 },
  ],
  'a label that it does not have': [{ label: 'none' }, { label: 'fraud' }],
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
    t.equal(matchesFilter(record, finding, null), true, name);
    t.equal(matchesFilter(record, missing, null), false, `not by another ${name}`);
  }
});

t.test('finds a decision by the label in force', async (t) => {
  t.equal(matchesFilter(record, { label: 'fraud' }, 'fraud'), true);
  t.equal(matchesFilter(record, { label: 'legit' }, 'fraud'), false);
  t.equal(matchesFilter(record, { label: 'none' }, 'fraud'), false);
});

t.test('takes the place from the first provider that says one', async (t) => {
  const [{ stytch, prefactor }] = [record.providers];
  const told = { ...stytch, signals: { found: true, country: 'FR', asn: 'AS1' } };
  const both = { ...record, providers: { stytch: told, prefactor } } as typeof record;
  t.equal(matchesFilter(both, { country: 'FR', asn: 3320 }, null), true, 'each for itself');
  const none = { ...record, providers: {} };
  t.equal(matchesFilter(none, { country: 'none', asn: 'none' }, null), true);
});

t.test('finds gaps only where they are asked for, by their times', async (t) => {
  const gap = { ...createGapRecord(TIME_MS, 1), until: '2026-01-01T12:00:05.000Z' };
  t.equal(matchesFilter(gap, {}, null), false);
  t.equal(matchesFilter(gap, { includesGaps: true, decision: 'ALLOW' }, null), true);
  t.equal(matchesFilter(gap, { includesGaps: true, since: '2026-01-01T12:00:04.000Z' }, null), true);
  t.equal(matchesFilter(gap, { includesGaps: true, since: '2026-01-01T12:00:06.000Z' }, null), false);
  t.equal(matchesFilter(gap, { includesGaps: true, until: '2026-01-01T12:00:00.000Z' }, null), false);
  t.equal(matchesFilter(gap, { includesGaps: true, until: '2026-01-01T12:00:00.001Z' }, null), true);
});
