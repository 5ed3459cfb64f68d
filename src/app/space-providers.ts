import type { SpaceProvider } from '../domain/policy-analysis/build-space.ts';
import type { ProviderDefinition } from '../providers/definition.ts';

/** What the analysis of policies knows of providers. */
export function toSpaceProviders(providers: readonly ProviderDefinition[]): readonly SpaceProvider[] {
  return providers.map(({ id, signals, subject, notFoundSignals, ttlSeconds }) => ({
    id,
    signals,
    subject,
    notFoundSignals,
    unsupportedSignals: ttlSeconds.unsupported === undefined ? null : { found: true, supported: false },
  }));
}
