import t from 'tap';
import type { Custody, CustodyUse } from '../../../src/application/custody/custody.ts';
import { toCustodyFacts } from '../../../src/application/custody/custody-facts.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const SUBJECT: Subject = { telemetryId: 't', device: { kind: 'shared', id: null } };
const QUESTION = { subject: SUBJECT, policy: compiled(documentOf([rule('a.found')])), deadlineAtMs: 50 };
const KNOWN = { gathered: [], facts: {}, nowMs: 7 };
const USE: CustodyUse = { names: [], record: null };

function open(use: CustodyUse | Promise<CustodyUse>) {
  const calls: unknown[][] = [];
  const custody: Custody = {
    take: (...told) => {
      calls.push(told);
      return use;
    },
    conclude: (...told) => {
      calls.push(told);
      return 'unknown';
    },
  };
  return { facts: toCustodyFacts(custody), calls };
}

t.test('tells in place what comes of a use at hand', async (t) => {
  const { facts, calls } = open(USE);
  t.same(facts.names, ['telemetry']);
  const conclude = facts.ask(QUESTION);
  if (conclude instanceof Promise) throw new Error('it went away');
  t.same(conclude(KNOWN), { telemetry: 'unknown' });
  t.same(calls, [
    [SUBJECT, 50],
    [USE, [], 7],
  ]);
});

t.test('waits for a use that is not at hand', async (t) => {
  const { facts, calls } = open(Promise.resolve(USE));
  const conclude = facts.ask(QUESTION);
  t.ok(conclude instanceof Promise);
  t.same((await conclude)(KNOWN), { telemetry: 'unknown' });
  t.same(calls[1], [USE, [], 7]);
});
