/**
 * Bodies for the OpenAPI document: the ids are those of the emulators, and no telemetry id has two devices.
 */
export const decideExamples = [
  { telemetry_id: 'allow', device_id: 'active', action: 'login', account_id: 'acct_42' },
  { telemetry_id: 'challenge-2', device_ids: { mobilerun: 'active', prefactor: 'minimal' } },
] as const;

/** A decision as the emulators produce it for a forged telemetry id. */
export const decisionExample = {
  decision_id: '01932f4e-7c1a-7d3e-9c55-0d6a3c1f2b4e',
  decision: 'BLOCK',
  reasons: [
    {
      code: 'TELEMETRY_NOT_FOUND',
      rule: 'telemetry-not-found',
      verdict: 'BLOCK',
      providers: ['stytch'],
      certain: true,
    },
  ],
  degraded: false,
  waivers: [],
  providers: {
    stytch: { outcome: 'not_found', cache: 'miss', latency_ms: 12.3, age_ms: 0, request_id: 'request-id-1' },
    mobilerun: { outcome: 'ok', cache: 'hit', latency_ms: 0, age_ms: 5210, request_id: null },
    prefactor: { outcome: 'ok', cache: 'miss', latency_ms: 8.9, age_ms: 0, request_id: null },
  },
  policy: {
    id: 'default',
    hash: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
  decided_at: '2026-01-15T09:30:00.000Z',
  expires_at: '2026-01-15T09:30:05.000Z',
} as const;
