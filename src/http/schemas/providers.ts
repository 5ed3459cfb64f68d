import { z } from 'zod';

/**
 * The answer of GET /v1/providers: how this replica stands with each provider right now. What they answered
 * is in GET /v1/stats.
 */
export const providersSchema = z.object({
  providers: z.array(
    z.object({
      id: z.string(),
      enabled: z.boolean(),
      circuit: z.enum(['closed', 'open', 'half_open']).describe('`open`: it is not called for now.'),
      suspect: z.boolean().describe('Its `not_found` is in doubt.'),
    }),
  ),
});
