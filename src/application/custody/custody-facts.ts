import { TELEMETRY_FACT } from '../../domain/policy/telemetry-signals.ts';
import type { ConcludeFacts, FactSource } from '../facts/fact-source.ts';
import type { Custody, CustodyUse } from './custody.ts';

/** Custody as a fact about the subject: each decision whose policy reads it is a use of the telemetry id. */
export function toCustodyFacts(custody: Custody): FactSource {
  const toConclude =
    (use: CustodyUse): ConcludeFacts =>
    ({ gathered, nowMs }) => ({ [TELEMETRY_FACT.name]: custody.conclude(use, gathered, nowMs) });
  return {
    names: [TELEMETRY_FACT.name],
    ask: ({ subject, deadlineAtMs }) => {
      const use = custody.take(subject, deadlineAtMs);
      return use instanceof Promise ? use.then(toConclude) : toConclude(use);
    },
  };
}
