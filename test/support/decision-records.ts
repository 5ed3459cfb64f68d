import type { CandidateResult } from '../../src/domain/candidates/candidate-result.ts';
import type {
  DecisionRecord,
  EventRecord,
  GapRecord,
} from '../../src/domain/decision-log/decision-record.ts';
import { toRecordedRequest } from '../../src/domain/decision-log/recorded-request.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';

/** A UUIDv7 of a time, told apart from others of that time by `serial`. */
export function uuidAt(timeMs: number, serial: number): string {
  const time = timeMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${serial.toString(16).padStart(12, '0')}`;
}

/** A record of a decision at a time, with changes. */
export function createDecisionRecord(
  timeMs: number,
  serial: number,
  changes: Partial<DecisionRecord> = {},
): DecisionRecord {
  return {
    version: 1,
    kind: 'decision',
    decision_id: uuidAt(timeMs, serial),
    decided_at: toRfc3339(timeMs),
    decision: 'CHALLENGE',
    degraded: true,
    reasons: [
      { code: 'STYTCH_UNKNOWN', rule: 'one', verdict: 'CHALLENGE', providers: ['stytch'], certain: false },
    ],
    waivers: [{ code: 'LENIENT', rule: 'three', providers: ['prefactor'] }],
    caller: 'shop',
    entry_point: 'decide',
    action: 'login',
    request_id: 'request-1',
    subject: {
      hash_key: '0a1b2c3d',
      telemetry: 'a'.repeat(32),
      devices: ['b'.repeat(32)],
      account: null,
      ip: 'c'.repeat(32),
      network: 'c'.repeat(32),
      visitor: null,
      place: null,
    },
    request: toRecordedRequest({
      telemetry_id_present: true,
      device_id_present: true,
      device_id_given: true,
      ip: '203.0.113.7',
    }),
    providers: {
      stytch: {
        outcome: 'timeout',
        cache: 'miss',
        cache_level: null,
        latency_ms: 250.5,
        age_ms: 0,
        request_id: null,
        suspect: false,
        signals: null,
      },
      prefactor: {
        outcome: 'ok',
        cache: 'hit',
        cache_level: 'memory',
        latency_ms: 0,
        age_ms: 1200,
        request_id: 'upstream-1',
        suspect: false,
        signals: { found: true, text: 'é\u2028"' },
      },
    },
    custody: {
      result: 'first_use',
      signals: {
        uses: 1,
        age_seconds: 0,
        bound_elsewhere: false,
        omits_device: false,
        omits_account: false,
        expired: false,
      },
    },
    activity: null,
    step_up: 'none',
    lists: null,
    shared: null,
    contradictions: null,
    rules: [
      { rule: 'one', result: 'unknown', why: 'stytch timeout', on_unknown: 'CHALLENGE' },
      { rule: 'two', result: 'true' },
      { rule: 'three', result: 'false' },
    ],
    policy: { id: 'default', hash: 'sha256:1' },
    engine: '0.0.0-test',
    latency_ms: 251,
    ...changes,
  };
}

/** What a candidate came to; null where what it reads was not asked for. */
export function createCandidateResult(hash: string, decision: Verdict | null): CandidateResult {
  const policy = { id: 'next', hash };
  if (decision === null) {
    const not_judged = { why: 'not_fetched', signals: ['step_up'] } as const;
    return { policy, decision, reasons: [], not_judged };
  }
  const reasons = [{ code: 'NEXT', rule: 'next', verdict: decision, providers: [], certain: true }];
  return { policy, decision, reasons, not_judged: null };
}

/** A record of one change of a list, at a time. */
export function createEventRecord(timeMs: number, serial: number): EventRecord {
  const at = toRfc3339(timeMs);
  const value = String(serial).padStart(32, '0');
  return {
    version: 1,
    kind: 'event',
    event_id: uuidAt(timeMs, serial),
    at,
    event: 'list_changed',
    caller: 'analyst',
    request_id: 'r-1',
    list: 'blocked',
    change: 'put',
    entries: [
      {
        id: `device-${value}`,
        part: 'device',
        value,
        hash_key: 'k1',
        added_at: at,
        added_by: 'analyst',
        expires_at: null,
        note: 'seen with fifty accounts',
      },
    ],
  };
}

/** A record of one decision that was dropped at a time. */
export function createGapRecord(timeMs: number, serial: number): GapRecord {
  const time = toRfc3339(timeMs);
  const id = uuidAt(timeMs, serial);
  return { version: 1, kind: 'gap', gap_id: id, sink: 'redis', from: time, until: time, dropped: 1 };
}
