/** Why a token is refused, as RFC 8935 (section 2.4) and RFC 8936 name it. */
export const SET_ERRORS = [
  'invalid_request',
  'invalid_key',
  'invalid_issuer',
  'invalid_audience',
  'authentication_failed',
] as const;

/** One of them. */
export type SetError = (typeof SET_ERRORS)[number];

/** A token that is refused, with a sentence for its transmitter. */
export interface RefusedSet {
  readonly kind: 'refused';
  readonly err: SetError;
  readonly description: string;
}
