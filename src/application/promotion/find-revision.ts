import type { PolicyInForce } from '../policy-in-force/policy-in-force.ts';
import type { PolicyStore } from '../policy-in-force/policy-store.ts';

/**
 * The revision of the state that this process judges by, so that a change can be made as far as it is still so. Null
 * where it judges by another, since it has heard of a change that it cannot obey.
 */
export async function findRevision(
  store: Pick<PolicyStore, 'state'>,
  inForce: Pick<PolicyInForce, 'policy' | 'settled'>,
): Promise<number | null> {
  await inForce.settled();
  const { revision, inForce: put } = store.state();
  return put === null || put.hash === inForce.policy().hash ? revision : null;
}
