import fc from 'fast-check';
import t from 'tap';
import { buildSpace } from '../../../src/domain/policy-analysis/build-space.ts';
import { diffPolicies } from '../../../src/domain/policy-analysis/diff-policies.ts';
import { judgeWitness } from '../../../src/domain/policy-analysis/witness.ts';
import { analysedDocuments } from '../../support/analysed-documents.ts';
import { assignmentsIn, everyWitness, SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, compiledIfCheap, documentOf, rule } from '../../support/policy-fixture.ts';

const ASSIGNMENTS_MAX = 12_000;
const PAIRS = 60;

t.test('comes to the transitions that an exhaustive search with the engine comes to', async (t) => {
  const seen = { exact: 0, approximate: 0 };
  fc.assert(
    fc.property(analysedDocuments(), analysedDocuments(), (left, right) => {
      const [before, after] = [compiledIfCheap(left), compiledIfCheap(right)];
      if (before === null || after === null) return;
      const rules = [before, after].flatMap((one, policy) =>
        one.rules.map((each) => ({ policy, rule: each })),
      );
      const space = buildSpace(rules, [before, after], SPACE_PROVIDERS);
      if (assignmentsIn(space) > ASSIGNMENTS_MAX) return;
      const searched = new Set<string>();
      for (const [witness] of everyWitness(space)) {
        const [from, to] = [judgeWitness(before, witness).verdict, judgeWitness(after, witness).verdict];
        if (from !== to) searched.add(`${from} ${to}`);
      }
      const { classes, limits } = diffPolicies(before, after, SPACE_PROVIDERS);
      const found = new Set(classes?.map(({ from, to }) => `${from} ${to}`));
      const why = JSON.stringify([left, right]);
      if (![...searched].every((one) => found.has(one))) throw new Error(`a transition is missed: ${why}`);
      if (limits.length === 0 && ![...found].every((one) => searched.has(one)))
        throw new Error(`one too many: ${why}`);
      for (const { from, to, witness } of classes ?? []) {
        if (witness === undefined && limits.length === 0) throw new Error(`it is not shown: ${why}`);
        if (witness === undefined) continue;
        const shown = [judgeWitness(before, witness).verdict, judgeWitness(after, witness).verdict];
        if (shown[0] !== from || shown[1] !== to) throw new Error(`it is not so: ${why}`);
      }
      seen[limits.length === 0 ? 'exact' : 'approximate'] += 1;
    }),
    { numRuns: PAIRS, seed: 20_260_702 },
  );
  t.ok(seen.exact > 5, `${seen.exact} in which nothing is approximated`);
  t.ok(seen.approximate > 5, `${seen.approximate} in which something is`);
});

const BLOCKS = documentOf([rule('a.action == "BLOCK"', { id: 'old', on_unknown: 'BLOCK' })]);

t.test('names the rules that decide, and finds nothing between a policy and itself', async (t) => {
  const softer = documentOf([
    rule('a.action == "BLOCK"', { id: 'new', verdict: 'CHALLENGE', on_unknown: 'BLOCK' }),
    rule('b.asn == 7', { id: 'exempting', verdict: 'ALLOW', exempt: true, on_unknown: 'IGNORE' }),
  ]);
  const { classes, table, tellsRules } = diffPolicies(compiled(BLOCKS), compiled(softer), SPACE_PROVIDERS);
  t.ok(tellsRules);
  t.same(classes?.map(({ from, to, fromRule, toRule }) => [from, to, fromRule, toRule]).toSorted(), [
    ['BLOCK', 'ALLOW', 'old', 'exempting'],
    ['BLOCK', 'CHALLENGE', 'old', 'new'],
  ]);
  t.ok(table.BLOCK.BLOCK > 0);
  t.same(diffPolicies(compiled(BLOCKS), compiled(BLOCKS), SPACE_PROVIDERS).classes, []);
});

t.test('tells rules no longer apart, then nothing, where its bound is reached', async (t) => {
  const ofProviders = ['a.action', 'b.action', 'a.net.country', 'b.net.country'];
  const ofRequest = ['request.action', 'request.user_agent', 'request.account_id'];
  const signals = [...ofProviders, ...ofRequest, 'step_up.method', 'step_up.acr'];
  const rules = signals.flatMap((signal) =>
    ['X', 'Y', 'Z'].map((text, place) =>
      rule(`${signal} == "${text}"`, {
        id: `${signal.replaceAll(/[._]/g, '-')}-${text.toLowerCase()}`,
        verdict: place === 0 ? 'BLOCK' : 'CHALLENGE',
      }),
    ),
  );
  const [before, after] = [compiled(documentOf(rules)), compiled(documentOf(rules.toReversed()))];
  const coarse = diffPolicies(before, after, SPACE_PROVIDERS, 36_000);
  t.notOk(coarse.tellsRules);
  t.same(coarse.classes, []);
  t.equal(diffPolicies(before, after, SPACE_PROVIDERS, 20_000).classes, null, 'tables cost steps too');
  t.equal(diffPolicies(before, after, SPACE_PROVIDERS, 100).classes, null);
});
