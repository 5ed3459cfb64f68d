import t from 'tap';
import { marksWithin, policyMarkers, toMarkers } from '../../../src/dashboard/page/policy-markers.ts';

const entry = (since: string, why: string, by: string | null, previous: string | null) => ({
  id: 'shop',
  hash: `sha256:${'ab'.repeat(32)}`,
  since,
  why,
  by,
  previous_hash: previous,
});

t.test('a change of the policy is marked with who brought it about, the first policy is none', async (t) => {
  const markers = toMarkers([
    entry('2026-01-15T09:30:00.000Z', 'restored', 'author', 'sha256:1'),
    entry('2026-01-15T09:00:00.000Z', 'file', null, null),
  ]);
  t.strictSame(markers, [
    { atMs: Date.parse('2026-01-15T09:30:00.000Z'), text: 'shop ababababab restored by author' },
  ]);
  policyMarkers.value = markers;
  const within = (since: string, until: string) =>
    marksWithin({ since: `2026-01-15T${since}:00.000Z`, until: `2026-01-15T${until}:00.000Z` });
  t.strictSame(within('09:00', '10:00'), [0.5]);
  t.strictSame(within('09:30', '10:00'), [0]);
  t.strictSame(within('09:00', '09:30'), [], 'what begins then is not in it');
  t.strictSame(within('10:00', '11:00'), []);
});
