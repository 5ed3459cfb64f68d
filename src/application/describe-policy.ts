import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { CAN_BE_TRUE } from '../domain/policy/possible-results.ts';
import type { ProviderSlot } from './evidence/gather-evidence.ts';

/**
 * A rule that cannot work as written because it reads a provider that is disabled. `partial` rules can still
 * be true by their other parts, and are unknown otherwise.
 */
export interface InertRule {
  readonly rule: string;
  readonly kind: 'inert' | 'partial';
  readonly providers: readonly string[];
}

/** The rules of a policy that a disabled provider makes inert, in the order of the file. */
export function findInertRules(policy: CompiledPolicy, slots: readonly ProviderSlot[]): InertRule[] {
  const isDisabled = (place: number) => slots[place]?.source === null;
  const disabledMask = slots.reduce((mask, _, place) => (isDisabled(place) ? mask | (1 << place) : mask), 0);
  return policy.rules.flatMap((rule): InertRule[] => {
    const providers = rule.signalReads.filter(isDisabled).map((place) => policy.providerIds[place] ?? '');
    if (providers.length === 0) return [];
    const kind = rule.possible(disabledMask) & CAN_BE_TRUE ? 'partial' : 'inert';
    return [{ rule: rule.source.id, kind, providers }];
  });
}
