import { hash } from 'node:crypto';
import t from 'tap';
import { createPolicyFor, type SharedPolicy } from '../../../src/application/promotion/policy-for.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const [live, next] = ['a.found', '!a.found'].map((when) => compiled(documentOf([rule(when)])));
if (live === undefined || next === undefined) throw new Error('no policies');
const hashOf = (account: string) => hash('sha256', account);
const openPolicyFor = (shared: SharedPolicy | null) =>
  createPolicyFor({ inForce: () => live, shared: () => shared });
const subjects = Array.from({ length: 200 }, (_, place) => ({ accountId: `account-${place}` }));

t.test('lets accounts of the share be decided by the other policy, always the same ones', async (t) => {
  const policyFor = openPolicyFor({ policy: next, share: 0.5, hashOf });
  const first = subjects.map(policyFor);
  t.ok(first.includes(live) && first.includes(next));
  t.same(
    subjects.map(policyFor).map((policy) => policy === next),
    first.map((policy) => policy === next),
  );
  t.ok(subjects.map(openPolicyFor({ policy: next, share: 1, hashOf })).every((policy) => policy === next));
});

t.test('leaves who has no account, and everybody without a share, with the policy in force', async (t) => {
  const all = openPolicyFor({ policy: next, share: 1, hashOf });
  for (const accountId of [undefined, '']) t.equal(all({ accountId }), live);
  t.equal(openPolicyFor(null)({ accountId: 'account-1' }), live);
});
