import type { Logger } from 'pino';
import type { DecisionEvent, DecisionObserver } from '../application/observers.ts';
import type { EvidenceUse } from '../domain/decision.ts';
import { toJsonString, toJsonStringOrNull } from '../domain/json-string.ts';
import { toCustodyResult } from '../domain/policy/telemetry-signals.ts';
import type { Reason } from '../domain/reason.ts';
import { createLineWriter } from '../platform/logger.ts';

/**
 * One short line for each decision, without an identifier. It is put together as text, because pino takes
 * twice as long to walk through an object. Ids of decisions and providers, outcomes, verdicts and hashes are
 * ours and plain; whatever a caller or a policy names is escaped.
 */
export function createDecisionLine(logger: Logger): DecisionObserver {
  const write = createLineWriter(logger, 'info');
  return { onDecision: (event) => write(toMembers(event)) };
}

function toMembers({ decision, caller, requestId, action }: DecisionEvent): string {
  const { id, verdict, reasons, degraded, evidence, custody, policy, latencyMs } = decision;
  const codes = reasons.map(({ code }) => toJsonString(code)).join();
  const outcomes = evidence.map(({ provider, outcome }) => `"${provider}":"${outcome}"`).join();
  return (
    `"event":"decision.made","decision_id":"${id}","request_id":${toJsonString(requestId)}` +
    `,"caller":${toJsonString(caller)},"action":${toJsonStringOrNull(action)}` +
    `,"decision":"${verdict}","reason_codes":[${codes}]${toSatisfied(reasons)},"degraded":${degraded}` +
    `,"provider_outcomes":{${outcomes}}${toSuspects(evidence)}` +
    `,"custody_result":"${toCustodyResult(custody)}","policy_hash":"${policy.hash}"` +
    `,"latency_ms":${Math.round(latencyMs * 100) / 100}`
  );
}

/** The codes that a step-up satisfies, where there are any. */
function toSatisfied(reasons: readonly Reason[]): string {
  if (!reasons.some(({ satisfied }) => satisfied === true)) return '';
  const codes = reasons.filter(({ satisfied }) => satisfied === true).map(({ code }) => toJsonString(code));
  return `,"satisfied_codes":[${codes.join()}]`;
}

function toSuspects(evidence: readonly EvidenceUse[]): string {
  if (!evidence.some(({ suspect }) => suspect)) return '';
  const suspects = evidence.filter(({ suspect }) => suspect).map(({ provider }) => `"${provider}"`);
  return `,"provider_suspect":[${suspects.join()}]`;
}
