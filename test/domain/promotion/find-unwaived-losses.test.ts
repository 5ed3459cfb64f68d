import t from 'tap';
import { findUnwaivedLosses } from '../../../src/domain/promotion/find-unwaived-losses.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const block = rule('!a.found', { id: 'not-found' });
const waived = rule('b.score > 5.0', { id: 'score', on_unknown: 'IGNORE' });
const other = rule('b.asn == 7', { id: 'network', on_unknown: 'IGNORE' });
const find = (rules: readonly Record<string, unknown>[], waivedRules: readonly string[] = []) =>
  findUnwaivedLosses(compiled(documentOf(rules)), waivedRules, SPACE_PROVIDERS);

t.test('finds nothing where no rule is waived', async (t) => {
  t.same(find([block]), { kind: 'analyzed', violations: [] });
});

t.test('finds what a waived rule lets through, until its waiver is known', async (t) => {
  t.same(find([block, waived]), { kind: 'analyzed', violations: ['losing b makes ALLOW of BLOCK'] });
  t.same(find([block, waived], ['score']), { kind: 'analyzed', violations: [] });
  t.match(find([block, waived, other], ['score']), { violations: ['losing b makes ALLOW of BLOCK'] });
  t.match(find([block, waived, other], ['score', 'network']), { violations: [] });
});

t.test('takes no rule out that is not waived, whatever it is called', async (t) => {
  // Without it the loss would be of no effect on what it decides.
  t.same(find([block, waived], ['not-found']), {
    kind: 'analyzed',
    violations: ['losing b makes ALLOW of BLOCK'],
  });
});

t.test('knows what it has not answered', async (t) => {
  const policy = compiled(documentOf([block, waived]));
  const questions = [0, 200, 400, 800, 1600, 3200].map((steps) =>
    findUnwaivedLosses(policy, [], SPACE_PROVIDERS, steps),
  );
  t.ok(questions.some(({ kind }) => kind === 'unknown'));
  for (const found of questions) if (found.kind === 'analyzed') t.equal(found.violations.length, 1);
});
