import t from 'tap';
import { orderAlerts, readingOf, subjectOf } from '../../../src/dashboard/page/alerts/alert-words.ts';
import type { AlertOnPage } from '../../../src/dashboard/page/wire.ts';

const alert = (changes: Partial<AlertOnPage>): AlertOnPage => ({
  name: 'a',
  when: 'block_rate',
  severity: 'warning',
  description: null,
  state: 'ok',
  since: null,
  fired_at: null,
  value: null,
  threshold: 0.2,
  n: null,
  about: null,
  why: null,
  ...changes,
});

t.test('says what was read, or why nothing could be said', async (t) => {
  t.equal(readingOf(alert({ value: 0.254, n: 1_200 })), '25% (1,200), limit 20%');
  t.equal(readingOf(alert({ state: 'too_few', n: 12 })), 'Only 12 decisions.');
  t.equal(readingOf(alert({ state: 'firing', n: 12 })), 'Only 12 decisions.');
  t.equal(readingOf(alert({ state: 'unknown', why: 'unreadable' })), 'The decision log cannot be read.');
  const spike = alert({ when: 'rule_spike', threshold: 3, value: 6.04, n: 60, about: 'FORGED' });
  t.equal(readingOf(spike), 'FORGED: 6.0 times the usual (60), limit 3');
  t.equal(
    readingOf(alert({ when: 'list_changed', threshold: 0, value: 5, about: 'block' })),
    'block: 5, limit 0',
  );
  t.equal(readingOf(alert({ when: 'provider_open', threshold: null, value: 1, about: 'stytch' })), 'stytch');
  t.equal(readingOf(alert({ when: 'policy_refused', threshold: null, value: 0 })), 'No');
});

t.test('has the worst first', async (t) => {
  const states = ['ok', 'unknown', 'firing', 'too_few', 'pending'] as const;
  t.same(
    orderAlerts(states.map((state) => alert({ state }))).map(({ state }) => state),
    ['firing', 'pending', 'unknown', 'too_few', 'ok'],
  );
  t.equal(subjectOf({ when: 'log_dropping' }), 'Records that were dropped');
});
