import t from 'tap';
import { filtersOf, toPairTable } from '../../../src/dashboard/page/groups/pair-table.ts';

const latency_ms = { p50: null, p95: null, p99: null };
const totalsOf = (counts: Record<string, number>) => ({
  total: 100,
  counts,
  latency_ms,
  degraded: 0,
  provider_latency_ms: {},
});

t.test('pairs become a table, the most frequent first, with shares of the row', async (t) => {
  const table = toPairTable({
    totals: totalsOf({ DE: 80, FR: 20 }),
    pairs: [
      { values: ['DE', 'ALLOW'], count: 60 },
      { values: ['DE', 'BLOCK'], count: 20 },
      { values: ['FR', 'BLOCK'], count: 20 },
    ],
  });
  t.strictSame(table, {
    columns: ['ALLOW', 'BLOCK'],
    rows: [
      {
        value: 'DE',
        total: 80,
        cells: [
          { count: 60, share: 0.75, level: 4 },
          { count: 20, share: 0.25, level: 2 },
        ],
      },
      {
        value: 'FR',
        total: 20,
        cells: [
          { count: 0, share: 0, level: 0 },
          { count: 20, share: 1, level: 5 },
        ],
      },
    ],
    rowsOmitted: 0,
    columnsOmitted: 0,
  });
});

t.test('more than fits is said to be left out', async (t) => {
  const pairs = Array.from({ length: 40 }, (_, place) => ({ values: [`r${place}`, `c${place}`], count: 1 }));
  const { rows, columns, rowsOmitted, columnsOmitted } = toPairTable({ totals: totalsOf({}), pairs });
  t.strictSame([rows.length, rowsOmitted, columns.length, columnsOmitted], [25, 15, 12, 28]);
  t.strictSame(toPairTable({ totals: totalsOf({}) }).rows, []);
});

t.test('a cell leads to its decisions, beside the filters that there are', async (t) => {
  t.strictSame(filtersOf({ caller: 'shop', country: 'PL' }, ['country', 'decision'], ['DE', 'BLOCK']), {
    caller: 'shop',
    country: 'DE',
    decision: 'BLOCK',
  });
  t.strictSame(filtersOf({}, ['reason', 'asn'], ['STALE:unknown', '64496']), {
    rule: 'STALE:unknown',
    asn: '64496',
  });
  t.strictSame(filtersOf({}, ['reason', 'rule'], ['STALE:unknown', 'telemetry-stale:unknown']), {
    reason: 'STALE',
    rule: 'telemetry-stale:unknown',
  });
});
