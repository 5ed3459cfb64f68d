import { PROVIDERS } from '../../src/providers/registry.ts';
import { SINKS } from '../../src/stores/decision-log/registry.ts';

/** What the configuration is read with. */
export const PLUG_INS = { providers: PROVIDERS, sinks: SINKS };
