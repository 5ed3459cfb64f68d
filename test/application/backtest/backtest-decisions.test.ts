import t from 'tap';
import { backtestDecisions } from '../../../src/application/backtest/backtest-decisions.ts';
import { createPolicyOf } from '../../../src/application/backtest/policy-of.ts';
import { createTally } from '../../../src/domain/backtest/tally.ts';
import { toReport } from '../../../src/domain/backtest/to-report.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import type { LabelledRecord } from '../../../src/domain/decision-log/record-columns.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { failure } from '../../../src/domain/result.ts';
import { createGapRecord } from '../../support/decision-records.ts';
import { recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const named = (hash: string, when: string): CompiledPolicy => ({
  ...compiled(documentOf([rule(when)])),
  hash,
});
const OWN = named('sha256:own', '!a.found');
const LABEL = { label: 'fraud', at: '2026-03-05T00:00:00.000Z', note: null, caller: 'shop' } as const;

async function* pagesOf(...pages: readonly (readonly LabelledRecord[])[]) {
  yield* pages;
}

async function run(candidate: CompiledPolicy, ...pages: readonly (readonly LabelledRecord[])[]) {
  const tally = createTally();
  const policyOf = createPolicyOf({ given: [OWN], texts: null, compile: () => failure(['none']) });
  let progress = 0;
  const onProgress = (decisions: number) => {
    progress += decisions;
  };
  await backtestDecisions({ pages: pagesOf(...pages), candidate, policyOf, onProgress }, tally);
  return { report: toReport(tally, null), progress };
}

t.test('counts decisions one by one, with their labels', async (t) => {
  const record = recordOf(OWN, { evidence: [ok({ score: 2 }), ok()] });
  const account = 'a'.repeat(32);
  const { report, progress } = await run(
    named('sha256:candidate', 'a.score > 1.0'),
    [
      { record: { ...record, subject: { ...record.subject, account } }, labels: [LABEL] },
      { record: createGapRecord(0, 1), labels: [] },
    ],
    [],
    [{ record: recordOf(OWN, { evidence: [ok({ score: 0.5 }), ok()] }), labels: [] }],
  );
  t.equal(progress, 2);
  t.match(report, {
    decisions: 2,
    judged: 2,
    changes: { changed: 1, stricter: 1 },
    accounts: [{ account, stricter: 1 }],
    labelled: { labels: [{ label: 'fraud', after: { BLOCK: 1 } }] },
    hours: [{ hourMs: Math.floor(Date.parse(record.decided_at) / 3_600_000) * 3_600_000 }],
  });
});

t.test('looks for the policy of the day where what was recorded depends on it', async (t) => {
  const record = { ...recordOf(OWN), contradictions: { travel: true } } as DecisionRecord;
  const candidate = named('sha256:candidate', 'contradictions.travel');
  const other = { ...record, policy: { id: 'x', hash: 'sha256:gone' } };
  const { report } = await run(candidate, [
    { record, labels: [] },
    { record: other, labels: [] },
  ]);
  t.match(report, { judged: 1, changes: { stricter: 1 }, notReplayable: [{ count: 1 }] });
});

t.test('ends where its progress is refused', async (t) => {
  const tally = createTally();
  const policyOf = createPolicyOf({ given: [], texts: null, compile: () => failure(['none']) });
  const pages = pagesOf([{ record: recordOf(OWN), labels: [] }], [{ record: recordOf(OWN), labels: [] }]);
  const onProgress = () => {
    throw new Error('enough');
  };
  await t.rejects(backtestDecisions({ pages, candidate: OWN, policyOf, onProgress }, tally), /enough/);
  t.equal(tally.decisions, 1);
});
