import t from 'tap';
import { describeFailure } from '../../../src/domain/policy-tests/describe-failure.ts';
import { judgeCases } from '../../../src/domain/policy-tests/judge-cases.ts';
import { readCases } from '../../../src/domain/policy-tests/read-cases.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const POLICY = compiled(
  documentOf([
    rule('!a.found', { id: 'not-found', reason: 'NOT_FOUND' }),
    rule('a.action == "BLOCK"', { id: 'blocks', reason: 'ACTION' }),
    rule('a.action == "CHALLENGE"', { id: 'challenges', reason: 'ACTION' }),
    rule('a.score > 0.5', { id: 'score', reason: 'SCORE' }),
  ]),
);

function diffOf(fields: Record<string, unknown>): readonly string[] {
  const evidence = { a: { outcome: 'ok', signals: { found: true, action: 'BLOCK', score: 0.1 } } };
  const document = { policy: 'p.yaml', evidence, cases: [{ name: 'x', ...fields }] };
  const cases = readCases(document, POLICY, SPACE_PROVIDERS);
  if (!cases.ok) throw new Error(JSON.stringify(cases.mistakes));
  return judgeCases(POLICY, cases.value).flatMap((one) =>
    describeFailure(POLICY, one).map(({ sign, text }) => `${sign} ${text}`),
  );
}

t.test('shows what was expected and what came, and why', async (t) => {
  t.same(diffOf({ decision: 'ALLOW', degraded: true }), [
    '- decision: ALLOW',
    '+ decision: BLOCK',
    '- degraded: true',
    '+ degraded: false',
    '  reasons:',
    '    ACTION (blocks is true)',
  ]);
});

t.test('shows reasons as a diff, with what the rules of those that are missing came to', async (t) => {
  t.same(diffOf({ decision: 'BLOCK', reasons: ['SCORE', 'ACTION', 'NOT_FOUND'] }), [
    '  reasons:',
    '-   SCORE (score is false)',
    '    ACTION (blocks is true)',
    '-   NOT_FOUND (not-found is false)',
  ]);
  const given = { a: { outcome: 'ok', signals: { found: true, action: 'ALLOW' } } };
  t.same(diffOf({ decision: 'CHALLENGE', given, reasons: ['ACTION'] }), [
    '  reasons:',
    '-   ACTION (blocks is false; challenges is false)',
    '+   SCORE (score is unknown: a signal it reads is absent)',
  ]);
});

t.test('shows nothing but the decision where there is no reason', async (t) => {
  const given = { a: { outcome: 'ok', signals: { found: true, action: 'ALLOW', score: 0 } } };
  t.same(diffOf({ decision: 'BLOCK', given }), ['- decision: BLOCK', '+ decision: ALLOW']);
});
