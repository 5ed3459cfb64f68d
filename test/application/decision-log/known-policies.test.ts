import t from 'tap';
import { rememberPolicies } from '../../../src/application/decision-log/known-policies.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const BASE = compiled(documentOf([rule('!a.found')]));
const named = (hash: string): CompiledPolicy => ({ ...BASE, hash });

t.test('knows the policies that have been in force, and forgets the oldest', async (t) => {
  let inForce = named('0');
  const policies = rememberPolicies(() => inForce);
  t.equal(policies.current(), inForce);
  t.equal(policies.find('0'), inForce);
  t.equal(policies.find('1'), null);
  for (let serial = 1; serial <= 15; serial += 1) {
    inForce = named(String(serial));
    t.equal(policies.current(), inForce);
  }
  t.equal(policies.find('0')?.hash, '0');
  inForce = named('0');
  policies.current();
  inForce = named('16');
  t.equal(policies.find('16'), inForce, 'also one that nobody has asked for yet');
  t.equal(policies.find('0')?.hash, '0', 'it was in force again');
  t.equal(policies.find('1'), null);
  t.equal(policies.find('2')?.hash, '2');
});
