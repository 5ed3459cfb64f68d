import type { Logger } from 'pino';
import { findInertRules } from '../application/describe-policy.ts';
import type { ProviderSlot } from '../application/gather-evidence.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';

/** Names every provider without credentials, and the rules that cannot speak without it. */
export function warnOfDisabled(policy: CompiledPolicy, slots: readonly ProviderSlot[], logger: Logger): void {
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
