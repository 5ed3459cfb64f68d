import { z } from 'zod';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import type { Caller } from '../callers/api-keys.ts';

const SCOPES = z.array(z.string()).describe('What the API key allows.');

/** The answer of POST /v1/session. */
export const openedSessionSchema = z.object({
  caller: z.string().describe('The id of the API key.'),
  scopes: SCOPES,
  expires_at: z.string().describe('When the session ends if it is not used until then.'),
});

/** The answer of GET /v1/session. */
export const sessionSchema = z.object({
  signed_in: z.boolean(),
  caller: z.string().optional().describe('The id of the API key. Absent where nobody is signed in.'),
  scopes: SCOPES.optional(),
  expires_at: z.string().optional().describe('When the session ends if it is not used until then.'),
});

/** A session as its browser reads it. */
export function toSessionBody(caller: Caller, endsAtMs: number): z.output<typeof openedSessionSchema> {
  return { caller: caller.id, scopes: [...caller.scopes], expires_at: toRfc3339(endsAtMs) };
}
