import fc from 'fast-check';
import t from 'tap';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { analyzePolicy } from '../../../src/domain/policy-analysis/analyze-policy.ts';
import { buildSpace } from '../../../src/domain/policy-analysis/build-space.ts';
import { judgeWitness } from '../../../src/domain/policy-analysis/witness.ts';
import { analysedDocuments } from '../../support/analysed-documents.ts';
import { assignmentsIn, everyWitness, SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiledIfCheap } from '../../support/policy-fixture.ts';

/** What takes the exhaustive search a few hundredths of a second. */
const ASSIGNMENTS_MAX = 12_000;
const POLICIES = 70;

/** What the engine itself says of all evidence of the space of a policy. */
function searchAll(policy: CompiledPolicy) {
  const space = buildSpace(
    policy.rules.map((rule) => ({ policy: 0, rule })),
    [policy],
    SPACE_PROVIDERS,
  );
  if (assignmentsIn(space) > ASSIGNMENTS_MAX) return null;
  const [verdicts, trueRules, deciding] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let allowsWaived = false;
  let count = 0;
  for (const [witness] of everyWitness(space)) {
    const { verdict, trace, degraded, waivers } = judgeWitness(policy, witness);
    count += 1;
    verdicts.add(verdict);
    if (verdict === 'ALLOW' && degraded && waivers.length > 0) allowsWaived = true;
    for (const line of trace) if (line.result === 'true') trueRules.add(line.rule);
    for (const { source } of policy.rules) {
      const rules = policy.rules.filter((rule) => rule.source.id !== source.id);
      if (!deciding.has(source.id) && judgeWitness({ ...policy, rules }, witness).verdict !== verdict)
        deciding.add(source.id);
    }
  }
  return { space, verdicts, trueRules, deciding, allowsWaived, count };
}

t.test('says of generated policies what an exhaustive search with the engine says', async (t) => {
  const seen = { exact: 0, approximate: 0 };
  fc.assert(
    fc.property(analysedDocuments(), (document) => {
      const policy = compiledIfCheap(document);
      const searched = policy === null ? null : searchAll(policy);
      if (policy === null || searched === null) return;
      const { verdicts, findings, limits, isComplete } = analyzePolicy(policy, SPACE_PROVIDERS);
      const found = (kind: string) => findings.filter((one) => one.kind === kind).map(({ rule }) => rule);
      const ids = policy.rules.map(({ source }) => source.id);
      const judging = policy.rules.flatMap(({ source }) => (source.observe ? [] : [source.id]));
      const reached = verdicts.map(({ verdict }) => verdict);
      const dead = found('dead_rule');
      const idle = [...dead, ...found('shadowed_rule'), ...found('never_decisive')];
      const why = JSON.stringify(document);
      if (!isComplete) throw new Error(`not complete: ${why}`);
      const check = (isRight: boolean, what: string) => {
        if (!isRight) throw new Error(`${what}: ${why}`);
      };
      // Nothing that happens is called impossible, whatever is approximated.
      check(
        [...searched.verdicts].every((one) => reached.some((verdict) => verdict === one)),
        'verdicts',
      );
      check(!dead.some((id) => searched.trueRules.has(id ?? '')), 'dead');
      check(!idle.some((id) => searched.deciding.has(id ?? '') && searched.trueRules.has(id ?? '')), 'idle');
      check(!searched.allowsWaived || found('waived_allow').length > 0, 'waived');
      if (limits.length > 0) {
        seen.approximate += 1;
        return;
      }
      seen.exact += 1;
      check(reached.length === searched.verdicts.size, 'no verdict too many');
      check(
        ids.every((id) => dead.includes(id) === !searched.trueRules.has(id)),
        'every dead rule',
      );
      check(
        judging.every((id) => dead.includes(id) || idle.includes(id) === !searched.deciding.has(id)),
        'every rule that decides nothing',
      );
      check(searched.allowsWaived === found('waived_allow').length > 0, 'every waiver');
      check(
        findings.every(({ isUnproven }) => isUnproven !== true),
        'every witness',
      );
      check(verdicts.reduce((sum, { combinations }) => sum + combinations, 0) <= searched.count, 'counts');
    }),
    { numRuns: POLICIES, seed: 20_260_701 },
  );
  t.ok(seen.exact > 20, `${seen.exact} in which nothing is approximated`);
  t.ok(seen.approximate > 5, `${seen.approximate} in which something is`);
});
