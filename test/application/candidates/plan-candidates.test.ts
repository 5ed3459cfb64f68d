import t from 'tap';
import { createPlans } from '../../../src/application/candidates/plan-candidates.ts';
import { rememberPolicies } from '../../../src/application/decision-log/known-policies.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const policyOf = (hash: string): CompiledPolicy => ({ ...compiled(documentOf([rule('a.found')])), hash });
const ALL = ['one', 'two', 'three', 'four', 'five'].map(policyOf);
const [live = policyOf('none')] = ALL;

function openPlans() {
  const policies = rememberPolicies({ inForce: () => live, kept: null, load: async () => null });
  for (const policy of ALL) policies.know(policy);
  let candidates: readonly CompiledPolicy[] = ALL;
  const plansFor = createPlans({ candidates: () => candidates, policies, onFailed: () => {} });
  return { plansFor, change: (next: readonly CompiledPolicy[]) => (candidates = next) };
}

t.test('plans once for each policy that answers, while two take turns', async (t) => {
  const { plansFor, change } = openPlans();
  const plans = ['one', 'two'].map(plansFor);
  t.same(
    plans.map((own) => own.map(({ policy }) => policy.hash)),
    [
      ['two', 'three', 'four', 'five'],
      ['one', 'three', 'four', 'five'],
    ],
  );
  for (const hash of ['one', 'two']) t.equal(plansFor(hash), plans[hash === 'one' ? 0 : 1]);
  change(ALL.slice(0, 2));
  t.match(plansFor('one'), [{ policy: { hash: 'two' } }]);
});

t.test('forgets plans when many policies answer', async (t) => {
  const { plansFor } = openPlans();
  const first = plansFor('one');
  for (const { hash } of ALL) plansFor(hash);
  t.not(plansFor('one'), first);
  t.same(plansFor('unknown'), []);
});
