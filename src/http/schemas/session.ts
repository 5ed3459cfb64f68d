import { z } from 'zod';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import type { Caller } from '../callers/api-keys.ts';

const SCOPES = z.array(z.string()).describe('What the API key allows, or the groups of the person.');
const CALLER = 'The id of the API key, or the name of the person with a mark behind it, as in records.';

/** The answer of POST /v1/session. */
export const openedSessionSchema = z.object({
  caller: z.string().describe(CALLER),
  scopes: SCOPES,
  expires_at: z.string().describe('When the session ends if it is not used until then.'),
});

/** The answer of GET /v1/session. */
export const sessionSchema = z.object({
  signed_in: z.boolean(),
  openid: z.boolean().describe('Whether people can sign in with OpenID Connect, at `/v1/session/oidc`.'),
  caller: z.string().optional().describe(`${CALLER} Absent where nobody is signed in.`),
  scopes: SCOPES.optional(),
  expires_at: z.string().optional().describe('When the session ends if it is not used until then.'),
});

/** A session as its browser reads it. */
export function toSessionBody(caller: Caller, endsAtMs: number): z.output<typeof openedSessionSchema> {
  return { caller: caller.id, scopes: [...caller.scopes], expires_at: toRfc3339(endsAtMs) };
}
