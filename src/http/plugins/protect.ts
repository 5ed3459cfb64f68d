import type { FastifyInstance } from 'fastify';
import { type AuthenticateOptions, authenticate } from './authenticate.ts';
import { type BoundReadsOptions, boundReads } from './bound-reads.ts';
import { type LimitCallersOptions, limitCallers } from './limit-callers.ts';
import { type ShedLoadOptions, shedLoad } from './shed-load.ts';
import { refuseCodings } from './unambiguous-json.ts';

/** What the plug-ins use. */
export interface ProtectOptions
  extends ShedLoadOptions,
    AuthenticateOptions,
    LimitCallersOptions,
    BoundReadsOptions {}

/**
 * All that requests of the API pass, in this order, for the routes registered after it: shed load,
 * authenticate, hold callers to limits, bound reads.
 */
export async function protect(api: FastifyInstance, options: ProtectOptions): Promise<void> {
  await api.register(shedLoad, options);
  await api.register(authenticate, options);
  await api.register(limitCallers, options);
  await api.register(boundReads, options);
  refuseCodings(api);
}
