import { z } from 'zod';

/** A queue as files and Redis keep it. */
export const savedQueueSchema = z.object({
  name: z.string(),
  filters: z.record(z.string(), z.string()),
  savedBy: z.string(),
  savedAtMs: z.number(),
});
