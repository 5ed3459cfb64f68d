import t from 'tap';
import { idOf } from '../../../../src/domain/decision-log/decision-record.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { openPostgresLog } from '../../../support/open-postgres-log.ts';
import { startPostgresServer } from '../../../support/postgres-server.ts';

/** Kinds of records among which the entries that a search looks at are divided: 200 for each. */
const CALLERS = 100;

const server = await startPostgresServer(t, { settings: ['fsync = off'] });

t.test('passes over nothing between what it looked at of a frequent kind and of a rare one', async (t) => {
  const { sink, reader } = await openPostgresLog(t, await server.createDatabase());
  const nowMs = Date.now();
  let serial = 0;
  const some = (count: number, caller: number, action: string) =>
    Array.from({ length: count }, () => {
      serial += 1;
      return createDecisionRecord(nowMs, serial, { caller: `caller-${caller}`, action });
    });
  const rare = some(20, 1, 'payout');
  const hidden = some(5, 0, 'payout');
  const others = Array.from({ length: CALLERS - 2 }, (_, caller) => some(1, caller + 2, 'login')).flat();
  const refused = { ...createDecisionRecord(nowMs, 0), decision: 'BLOCK' } as const;
  const records = [...rare, ...hidden, ...others, refused, ...some(250, 0, 'login')];
  t.equal(await sink.append({ number: 1, records }), true);
  const found: string[] = [];
  let before: string | null = null;
  do {
    const page = await reader.query({ decision: 'CHALLENGE', action: 'payout' }, { before, limit: 10 });
    found.push(...page.entries.map(({ record }) => idOf(record)));
    before = page.next;
  } while (before !== null);
  t.same(found, [...rare, ...hidden].map(idOf).toReversed());
});
