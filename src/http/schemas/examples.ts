/**
 * Bodies for the OpenAPI document: the ids are those of the emulators, and no telemetry id has two devices.
 */
export const decideExamples = [
  { telemetry_id: 'allow', device_id: 'active', action: 'login', account_id: 'acct_42' },
  { telemetry_id: 'challenge-2', device_ids: { mobilerun: 'active', prefactor: 'minimal' } },
] as const;

const NOT_FOUND_EXAMPLE = {
  outcome: 'not_found',
  cache: 'miss',
  latency_ms: 12.3,
  age_ms: 0,
  request_id: 'request-id-1',
};

const OK_EXAMPLE = { outcome: 'ok', cache: 'hit', latency_ms: 0, age_ms: 5210, request_id: null };

/**
 * A decision as the emulators produce it for a forged telemetry id: it is unknown to the providers that are
 * asked about it, and the others know what they are asked about.
 */
export function createDecisionExample(
  providers: readonly { readonly id: string; readonly subject: string }[],
) {
  const outcomeOf = (subject: string) => (subject === 'telemetry_id' ? NOT_FOUND_EXAMPLE : OK_EXAMPLE);
  return {
    decision_id: '01932f4e-7c1a-7d3e-9c55-0d6a3c1f2b4e',
    decision: 'BLOCK',
    reasons: [
      {
        code: 'TELEMETRY_NOT_FOUND',
        rule: 'telemetry-not-found',
        verdict: 'BLOCK',
        providers: providers.filter(({ subject }) => subject === 'telemetry_id').map(({ id }) => id),
        certain: true,
      },
    ],
    degraded: false,
    waivers: [],
    providers: Object.fromEntries(providers.map(({ id, subject }) => [id, outcomeOf(subject)])),
    policy: {
      id: 'default',
      hash: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    },
    decided_at: '2026-01-15T09:30:00.000Z',
    expires_at: '2026-01-15T09:30:05.000Z',
  };
}
