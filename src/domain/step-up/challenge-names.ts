import { z } from 'zod';

/** A name as OpenID Connect has it; RFC 9470 puts several in one quoted text, with spaces between. */
export const acrName = z
  .string()
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/,
    'must be printable ASCII without spaces, quotes and backslashes, at most 128',
  );

/** How a challenge was completed, such as the values of RFC 8176 (`otp`, `hwk`). */
export const methodName = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'must be letters, digits, and any of _.:-, at most 64');
