import type { DecisionSummary } from '../../../src/dashboard/page/wire.ts';

/** A decision as the stream brings it. */
export function createRow(id: string, row: Partial<DecisionSummary> = {}): DecisionSummary {
  return {
    decision_id: id,
    decided_at: '2026-01-15T09:30:00.000Z',
    decision: 'ALLOW',
    degraded: false,
    reasons: [],
    subject: { telemetry: null, devices: [], account: null },
    waivers: [],
    caller: 'web',
    entry_point: 'decide',
    action: 'login',
    providers: {},
    policy: { id: 'default', hash: 'sha256:00' },
    latency_ms: 12,
    label: null,
    ...row,
  };
}
