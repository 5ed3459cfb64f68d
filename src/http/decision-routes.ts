/** Where decisions are asked for: one, several, by AuthZEN, and at gateways. */
const PATHS = /^\/(?:v1\/decide|v1\/gateway|access)(?:\/|$)/;

/**
 * True for a route that answers decisions. Whatever takes time once is done for them before the service is
 * ready, and for others with their first request.
 */
export function isDecisionRoute({ url = '' }: { readonly url?: string }): boolean {
  return PATHS.test(url);
}
