import type { Decision } from '../../domain/decision.ts';
import {
  type DecisionRecord,
  type EvidenceRecord,
  RECORD_VERSION,
} from '../../domain/decision-log/decision-record.ts';
import { RecordedEvidence, roundToHundredth } from '../../domain/decision-log/recorded-evidence.ts';
import { toCustodyResult } from '../../domain/policy/telemetry-signals.ts';
import { type DeviceIds, hasText, type Subject } from '../../domain/subject.ts';
import type { Asking } from '../settle-decision.ts';

/** Keyed hashes for the decision log only: they match no hash of the same id elsewhere. */
export interface RecordHashes {
  /** The id of their key, which reveals nothing about it. */
  readonly keyId: string;
  readonly telemetry: (id: string) => string;
  readonly device: (id: string) => string;
  readonly account: (id: string) => string;
  /** Of an address in its canonical spelling. */
  readonly ip: (address: string) => string;
  /** Of the network that activity counts the address by: the /64 of an IPv6 address, an IPv4 address itself. */
  readonly network: (address: string) => string;
}

/** What a record needs beside its decision. */
export interface RecordOptions {
  readonly hashes: RecordHashes;
  /** RFC 3339 in UTC with milliseconds, of Unix milliseconds. */
  readonly formatTime: (unixMs: number) => string;
  /** The version of riskgate. */
  readonly engine: string;
}

/** The record of a decision. It shares the immutable parts, and holds no raw identifier. */
export function toDecisionRecord(
  decision: Decision,
  subject: Subject,
  { caller, entryPoint, requestId }: Asking,
  { hashes, formatTime, engine }: RecordOptions,
  candidates?: DecisionRecord['candidates'],
): DecisionRecord {
  const { custody, facts } = decision;
  return {
    version: RECORD_VERSION,
    kind: 'decision',
    decision_id: decision.id,
    decided_at: formatTime(decision.decidedAtMs),
    decision: decision.verdict,
    degraded: decision.degraded,
    reasons: decision.reasons,
    waivers: decision.waivers,
    caller,
    entry_point: entryPoint,
    action: subject.action ?? null,
    request_id: requestId,
    subject: {
      hash_key: hashes.keyId,
      ...hashIds(subject, hashes),
      ip: hashOf(subject.ip, hashes.ip),
      network: hashOf(subject.ip, hashes.network),
      visitor: decision.visitor,
      place: decision.place,
    },
    request: decision.request,
    providers: byProvider(decision),
    custody: {
      result: toCustodyResult(custody),
      signals: typeof custody === 'object' ? custody : null,
    },
    activity: facts.activity,
    step_up: facts.step_up,
    lists: facts.lists,
    shared: facts.shared,
    contradictions: facts.contradictions,
    policy: decision.policy,
    engine,
    latency_ms: roundToHundredth(decision.latencyMs),
    rules: decision.trace,
    ...(candidates !== undefined && { candidates }),
  };
}

/** The ids of a subject as records have them. */
export function hashIds(
  { telemetryId, device, accountId }: Subject,
  hashes: Pick<RecordHashes, 'telemetry' | 'device' | 'account'>,
): Pick<DecisionRecord['subject'], 'telemetry' | 'devices' | 'account'> {
  return {
    telemetry: hashOf(telemetryId, hashes.telemetry),
    devices: hashesOf(device, hashes.device),
    account: hashOf(accountId, hashes.account),
  };
}

function byProvider({ evidence }: Decision): DecisionRecord['providers'] {
  const records: Record<string, EvidenceRecord> = {};
  for (const use of evidence) records[use.provider] = new RecordedEvidence(use);
  return records;
}

function hashOf(id: string | null | undefined, hash: (id: string) => string): string | null {
  return hasText(id) ? hash(id) : null;
}

function hashesOf(device: DeviceIds, hash: (id: string) => string): string[] {
  if (device.kind === 'shared') return hasText(device.id) ? [hash(device.id)] : [];
  return [...new Set([...device.ids.values()].filter(hasText).map(hash))];
}
