import { PROVIDERS } from '../../src/providers/registry.ts';
import { file } from '../../src/stores/decision-log/file/index.ts';
import { memory } from '../../src/stores/decision-log/memory/index.ts';
import { redis } from '../../src/stores/decision-log/redis/index.ts';
import { SINKS } from '../../src/stores/decision-log/registry.ts';
import { stdout } from '../../src/stores/decision-log/stdout/index.ts';
import { VENDORS } from './vendors.ts';

/** What the service reads its configuration with. */
export const PLUG_INS = { providers: PROVIDERS, sinks: SINKS };

/** The plug-ins that tests name. One that a registry gains is not among them. */
export const NAMED_PLUG_INS = { providers: VENDORS, sinks: [memory, redis, file, stdout] };
