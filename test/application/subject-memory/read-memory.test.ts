import t from 'tap';
import { createReadMemory } from '../../../src/application/subject-memory/read-memory.ts';
import { ListTable } from '../../../src/domain/lists/list-table.ts';
import { createManualClock } from '../../support/test-app.ts';

const HASH = 'a'.repeat(32);

t.test('what cannot be read is not told as none', async (t) => {
  const asked: string[] = [];
  const read = createReadMemory({
    lists: { table: new ListTable(new Set()), knowledge: () => 'stale' },
    stepUps: {
      kept: async (part) => {
        asked.push(part);
        return null;
      },
    },
    clock: createManualClock(),
  });
  t.strictSame(await read('device', HASH), { entries: [], knowledge: 'stale', stepUps: null });
  t.strictSame((await read('ip', HASH)).stepUps, [], 'no step-up names an address');
  t.strictSame((await read('visitor', HASH)).stepUps, []);
  t.strictSame(asked, ['device']);
});

t.test('tells the entries in force that name it', async (t) => {
  const table = new ListTable(new Set(['key']));
  const entry = {
    part: 'device',
    value: HASH,
    keyId: 'key',
    addedAtMs: 1,
    addedBy: 'somebody',
    note: null,
    others: {},
  } as const;
  table.put({ ...entry, list: 'blocked', expiresAtMs: null, isRemoved: false });
  table.put({ ...entry, list: 'removed', expiresAtMs: null, isRemoved: true });
  table.put({ ...entry, list: 'expired', expiresAtMs: 2, isRemoved: false });
  table.put({ ...entry, list: 'others', value: 'b'.repeat(32), expiresAtMs: null, isRemoved: false });
  const read = createReadMemory({
    lists: { table, knowledge: () => 'current' },
    stepUps: { kept: async () => [] },
    clock: createManualClock(),
  });
  const { entries } = await read('device', HASH);
  t.strictSame(
    entries.map(({ list }) => list),
    ['blocked'],
  );
});
