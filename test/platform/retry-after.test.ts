import t from 'tap';
import { parseRetryAfterMs } from '../../src/platform/retry-after.ts';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

t.test('reads seconds', async (t) => {
  t.equal(parseRetryAfterMs('0', NOW_MS), 0);
  t.equal(parseRetryAfterMs(' 120 ', NOW_MS), 120_000);
});

t.test('reads a date, and a past one as no wait', async (t) => {
  t.equal(parseRetryAfterMs('Thu, 01 Jan 2026 00:00:07 GMT', NOW_MS), 7000);
  t.equal(parseRetryAfterMs('Wed, 31 Dec 2025 00:00:00 GMT', NOW_MS), 0);
});

t.test('reads nothing else', async (t) => {
  const unreadable = [
    '',
    '-1',
    '1.5',
    '1e3',
    'soon',
    '9'.repeat(10),
    '2026-01-01T00:00:07Z',
    'Thu, 99 Jan 2026 00:00:07 GMT',
  ];
  for (const header of [undefined, ...unreadable])
    t.equal(parseRetryAfterMs(header, NOW_MS), null, header ?? 'absent');
});
