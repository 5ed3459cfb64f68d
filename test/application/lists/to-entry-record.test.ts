import t from 'tap';
import { toEntryRecord } from '../../../src/application/lists/to-entry-record.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createListEntry } from '../../support/list-entries.ts';

t.test('shows when an entry expires', async (t) => {
  const entry = createListEntry({ addedAtMs: 0, expiresAtMs: 60_000 });
  t.match(toEntryRecord(entry, toRfc3339), {
    added_at: '1970-01-01T00:00:00.000Z',
    expires_at: '1970-01-01T00:01:00.000Z',
  });
});

t.test('shows no time where an entry never expires', async (t) => {
  t.equal(toEntryRecord(createListEntry({ expiresAtMs: null }), toRfc3339).expires_at, null);
});
