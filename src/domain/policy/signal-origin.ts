import { z } from 'zod';

/**
 * Who chooses the value of a signal: `client` for what whoever is judged sends, or can choose by what they send it
 * from; anything else is chosen by the caller, a provider or the service.
 */
type SignalOrigin = 'client';

/** Marks a signal, and all within it, as chosen by the client. */
export function fromClient<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ origin: 'client' satisfies SignalOrigin });
}

/** True for a signal that the client chooses, by its path in the schema of its source. */
export function isFromClient(schema: z.ZodObject, path: readonly string[]): boolean {
  let inner: unknown = schema;
  for (const name of path) {
    inner =
      inner instanceof z.ZodObject ? (inner.shape as Readonly<Record<string, unknown>>)[name] : undefined;
    if (!(inner instanceof z.ZodType)) return false;
    if (inner.meta()?.['origin'] === 'client') return true;
    if (inner instanceof z.ZodOptional) inner = inner.unwrap();
  }
  return false;
}
