import t from 'tap';
import type { Decide } from '../../src/application/decide.ts';
import {
  type Asking,
  type RecordDecision,
  type Repeat,
  settleDecisions,
} from '../../src/application/settle-decision.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Subject } from '../../src/domain/subject.ts';

const SUBJECT: Subject = { telemetryId: 'a', device: { kind: 'shared', id: 'b' }, action: 'login' };
const OPTIONS = { maxAgeMs: null, deadlineMs: null };
const ASKING: Asking = { caller: 'shop', entryPoint: 'nginx', requestId: 'request-1' };
const DECISION = { id: 'own' } as Decision;
const DEFECT = new TypeError('a defect');

interface Parts {
  readonly decide?: Decide;
  readonly record?: RecordDecision | null;
  readonly idOf?: Repeat['idOf'];
}

/** A settled use case, and in order everything that happens in it. */
function open({ decide = () => DECISION, record, idOf = () => null }: Parts = {}) {
  const steps: string[] = [];
  const log: RecordDecision = (decision, subject, { entryPoint }) => {
    steps.push(`record ${decision.id} ${subject.action} ${entryPoint}`);
    return undefined;
  };
  const repeat: Repeat = {
    idOf: (decision) => {
      steps.push('judge');
      return idOf(decision);
    },
    remember: () => steps.push('remember'),
    giveUp: () => steps.push('give up'),
  };
  const ask = settleDecisions(decide, {
    record: record === undefined ? log : record,
    observer: {
      onDecision: ({ decision, caller, requestId, action }) =>
        steps.push(`tell ${decision.id} ${caller} ${requestId} ${action}`),
    },
  });
  return { steps, repeat, ask };
}

const TOLD = 'tell own shop request-1 login';

t.test('records, then tells, and stays in place', async (t) => {
  const { ask, steps } = open();
  t.same(ask(SUBJECT, OPTIONS, ASKING), { id: 'own', decision: DECISION });
  t.same(steps, ['record own login nginx', TOLD]);
});

t.test('tells without a decision log too', async (t) => {
  const { ask, steps } = open({ record: null });
  t.same(ask({ ...SUBJECT, action: undefined }, OPTIONS, ASKING), { id: 'own', decision: DECISION });
  t.same(steps, ['tell own shop request-1 null']);
});

t.test('judges first whether a decision repeats another, now or later', async (t) => {
  for (const decide of [() => DECISION, async () => DECISION]) {
    for (const idOf of [() => null, async () => null]) {
      const { ask, steps, repeat } = open({ decide, idOf });
      t.same(await ask(SUBJECT, OPTIONS, { ...ASKING, repeat }), { id: 'own', decision: DECISION });
      t.same(steps, ['judge', 'record own login nginx', 'remember', TOLD]);
    }
  }
});

t.test('neither records nor tells a repeat, and knows it by the id of the first', async (t) => {
  for (const idOf of [() => 'first', async () => 'first']) {
    const { ask, steps, repeat } = open({ idOf });
    t.same(await ask(SUBJECT, OPTIONS, { ...ASKING, repeat }), { id: 'first', decision: DECISION });
    t.same(steps, ['judge']);
  }
});

t.test('tells nobody before the record is held', async (t) => {
  const held = Promise.withResolvers<void>();
  const { ask, steps, repeat } = open({ record: () => held.promise });
  const settled = ask(SUBJECT, OPTIONS, { ...ASKING, repeat });
  t.same(steps, ['judge']);
  held.resolve();
  await settled;
  t.same(steps, ['judge', 'remember', TOLD]);
});

t.test('gives a repeat up when no decision came of it, and fails as the use case does', async (t) => {
  const fail = () => {
    throw DEFECT;
  };
  const failures: readonly Parts[] = [
    { decide: fail },
    { decide: async () => fail() },
    { record: fail },
    { record: async () => fail() },
  ];
  for (const parts of failures) {
    const { ask, steps, repeat } = open(parts);
    await t.rejects(async () => ask(SUBJECT, OPTIONS, { ...ASKING, repeat }), DEFECT);
    t.equal(steps.at(-1), 'give up');
    t.notOk(steps.includes(TOLD));
    await t.rejects(async () => open(parts).ask(SUBJECT, OPTIONS, ASKING), DEFECT);
  }
});
