import type { Effect, GatewayAnswer, GatewayResult } from './definition.ts';

/**
 * The value of a header that would otherwise be missing or empty: in place of one, Caddy passed a literal
 * placeholder or the client's own value (GHSA-7r4p-vjf4-gxv4).
 */
const NOTHING = 'none';
/** Gateways have header buffers of a few KiB in total. */
const REASONS_LENGTH_MAX = 512;
const REASON = /^[A-Za-z0-9_.-]+$/;

/**
 * Only 200, 401 and 403 pass every gateway unchanged. 302 and 503 are used where a profile or an outage needs
 * them.
 */
const STATUS = {
  allow: 200,
  challenge: 401,
  forbid: 403,
  redirect: 302,
  refuse: 503,
} as const satisfies Record<Effect['kind'], number>;

/** The three headers of every answer: ASCII, bounded, and `none` in place of an empty value. */
export function toRiskHeaders({
  decision,
  decisionId,
  reasons,
}: Pick<GatewayResult, 'decision' | 'decisionId' | 'reasons'>): Record<string, string> {
  return {
    'x-risk-decision': decision,
    'x-risk-decision-id': decisionId ?? NOTHING,
    'x-risk-reasons': toReasonsText(reasons),
  };
}

/**
 * The answer that most dialects share. `targetHeader` is where the dialect reads the original target, for
 * `Vary`; null where that is the path itself.
 */
export function toSharedAnswer(result: GatewayResult, targetHeader: string | null): GatewayAnswer {
  const { effect, decision, decisionId, caching, retryAfterSeconds } = result;
  const headers = toRiskHeaders(result);
  headers['cache-control'] = caching === null ? 'no-store' : `max-age=${caching.maxAgeSeconds}`;
  if (caching !== null) {
    const target = caching.readsTarget && targetHeader !== null ? [targetHeader] : [];
    headers['vary'] = [...caching.vary, ...target].join(', ');
  }
  if (effect.kind === 'redirect') headers['location'] = effect.url;
  if (effect.kind === 'challenge') headers['www-authenticate'] = toChallenge(result);
  if (effect.kind === 'refuse') headers['retry-after'] = String(retryAfterSeconds ?? 1);
  if (effect.kind === 'allow') return { status: STATUS.allow, headers, body: '' };
  headers['content-type'] = 'application/json; charset=utf-8';
  // The gateway must not pass the reasons on to the client: they would help a forger.
  const body = JSON.stringify({ decision, decision_id: decisionId });
  return { status: STATUS[effect.kind], headers, body };
}

/** RFC 9470, section 3. */
function toChallenge({ acrValues, maxAgeSeconds }: GatewayResult): string {
  let challenge =
    'Bearer error="insufficient_user_authentication", error_description="Additional authentication is required"';
  if (acrValues !== null) challenge += `, acr_values="${acrValues}"`;
  if (maxAgeSeconds !== null) challenge += `, max_age="${maxAgeSeconds}"`;
  return challenge;
}

/** Reason codes are ASCII; any other character is left out. */
function toReasonsText(reasons: readonly string[]): string {
  let text = '';
  for (const code of new Set(reasons)) {
    if (!REASON.test(code)) continue;
    const longer = text === '' ? code : `${text},${code}`;
    if (longer.length > REASONS_LENGTH_MAX) break;
    text = longer;
  }
  return text === '' ? NOTHING : text;
}
