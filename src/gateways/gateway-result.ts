import type { Decision } from '../domain/decision.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Caching, Effect, GatewayResult } from './definition.ts';
import type { GatewayProfile, IdPlace } from './profile.ts';

const PLAIN = {
  decisionId: null,
  caching: null,
  retryAfterSeconds: null,
  acrValues: null,
  maxAgeSeconds: null,
} as const;

/** A BLOCK without a policy: the caller is unknown, or its question cannot be read. */
export function refusedResult(reason: string): GatewayResult {
  return { ...PLAIN, decision: 'BLOCK', reasons: [reason], effect: { kind: 'forbid' } };
}

/** A request that the profile lets in without a decision. */
export const EXEMPT_RESULT: GatewayResult = {
  ...PLAIN,
  decision: 'ALLOW',
  reasons: ['EXEMPT'],
  effect: { kind: 'allow' },
};

/**
 * A defect of riskgate. A profile cannot make it milder: otherwise an input that provokes it would be let in.
 */
export const DEFECT_RESULT: GatewayResult = {
  ...PLAIN,
  decision: 'UNAVAILABLE',
  reasons: ['INTERNAL'],
  effect: { kind: 'refuse' },
};

/**
 * A request whose head is larger than riskgate reads. It is not a BLOCK, because the sender may be an honest
 * user with many cookies. A profile cannot make it milder, because anyone can send one.
 */
export const TOO_LARGE_RESULT: GatewayResult = { ...DEFECT_RESULT, reasons: ['REQUEST_TOO_LARGE'] };

/**
 * The result without a decision, by the profile. It never claims an ALLOW: the decision header is
 * UNAVAILABLE.
 */
export function unavailableResult(
  reason: string,
  profile: GatewayProfile,
  retryAfterSeconds: number,
): GatewayResult {
  const base = { ...PLAIN, reasons: [reason], retryAfterSeconds };
  switch (profile.onUnavailable) {
    case 'refuse':
      return { ...base, decision: 'UNAVAILABLE', effect: { kind: 'refuse' } };
    case 'allow':
      return { ...base, decision: 'UNAVAILABLE', effect: { kind: 'allow' } };
    case 'challenge':
      return {
        ...base,
        decision: 'CHALLENGE',
        effect: toEffect('CHALLENGE', profile),
        acrValues: profile.acrValues,
      };
    case 'block':
      return { ...base, decision: 'BLOCK', effect: { kind: 'forbid' } };
  }
}

/** A decision as the profile maps it. `id` is that of the decision which it repeats, or its own. */
export function decidedResult(decision: Decision, id: string, profile: GatewayProfile): GatewayResult {
  const { verdict, challenge } = decision;
  const acrValues = challenge?.acr_values.join(' ');
  return {
    ...PLAIN,
    decision: verdict,
    decisionId: id,
    reasons: decision.reasons.map(({ code }) => code),
    effect: toEffect(verdict, profile),
    caching: verdict === 'ALLOW' ? toCaching(decision, profile) : null,
    // The policy knows what satisfies it; a profile may say it for one that does not.
    acrValues: acrValues || profile.acrValues,
    maxAgeSeconds: challenge?.max_age_seconds ?? null,
  };
}

function toEffect(verdict: Verdict, { challenge, challengeUrl }: GatewayProfile): Effect {
  switch (verdict) {
    case 'ALLOW':
      return { kind: 'allow' };
    case 'BLOCK':
      return { kind: 'forbid' };
    case 'CHALLENGE':
      if (challenge === 'pass') return { kind: 'allow' };
      if (challenge === 'forbid') return { kind: 'forbid' };
      return challenge === 'redirect' && challengeUrl !== null
        ? { kind: 'redirect', url: challengeUrl }
        : { kind: 'challenge' };
  }
}

/** At most as long as the evidence is valid; a decision that lacks evidence expires at once. */
function toCaching(decision: Decision, profile: GatewayProfile): Caching | null {
  if (profile.cacheTtlSeconds === 0) return null;
  const leftSeconds = Math.floor((decision.expiresAtMs - decision.decidedAtMs) / 1000);
  const maxAgeSeconds = Math.min(profile.cacheTtlSeconds, leftSeconds);
  if (maxAgeSeconds < 1) return null;
  const places = [...profile.telemetryId, ...profile.deviceId];
  return {
    maxAgeSeconds,
    vary: toVary(places, profile),
    readsTarget: places.some(({ kind }) => kind === 'query'),
  };
}

function toVary(places: readonly IdPlace[], { ipHeader }: GatewayProfile): readonly string[] {
  const names = new Set(places.filter(({ kind }) => kind === 'header').map(({ name }) => name));
  if (places.some(({ kind }) => kind === 'cookie')) names.add('cookie');
  names.add('user-agent');
  if (ipHeader !== null) names.add(ipHeader);
  return [...names].map(toFieldCase);
}

/** `x-device-id` as `X-Device-ID`: names are compared without case, and recipes show this one. */
function toFieldCase(name: string): string {
  return name.replaceAll(/-i[dp]\b|(?:^|-)[a-z]/g, (part) => part.toUpperCase());
}
