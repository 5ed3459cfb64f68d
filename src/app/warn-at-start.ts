import { findInertRules } from '../application/describe-policy.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { AppContext } from './context.ts';

/**
 * Says in the log that the service is a demo, and names every provider without credentials, with the rules
 * that cannot be evaluated without it.
 */
export function warnAtStart(
  { config, logger }: AppContext,
  policy: CompiledPolicy,
  slots: readonly ProviderSlot[],
): void {
  if (config.isInsecureAllowed) logger.warn({ event: 'service.insecure' }, 'secrets are not checked: a demo');
  const inert = findInertRules(policy, slots);
  for (const { id, source } of slots) {
    if (source !== null) continue;
    const rules = inert.filter(({ providers }) => providers.includes(id)).map(({ rule }) => rule);
    logger.warn(
      { event: 'provider.disabled', provider: id, inert_rules: rules },
      'a provider has no credentials',
    );
  }
}
