import type { ProviderDefinition } from '../../src/providers/definition.ts';
import { mobilerun } from '../../src/providers/mobilerun/index.ts';
import { prefactor } from '../../src/providers/prefactor/index.ts';
import { stytch } from '../../src/providers/stytch/index.ts';

/**
 * The providers that tests name, in the order of answers. A provider that the registry gains is not among
 * them: suites over every provider use the registry itself.
 */
export const VENDORS: readonly ProviderDefinition[] = [stytch, mobilerun, prefactor];
