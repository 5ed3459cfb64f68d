import type { Reason } from '../reason.ts';
import { demandOf, isOpen, toChallenge } from './challenge.ts';
import type { CompiledPolicy } from './compile.ts';
import type { Judgement } from './judgement.ts';
import type { StepUpDemand } from './step-up-demand.ts';
import type { StepUpSignals } from './step-up-signals.ts';

/**
 * A judgement in which each CHALLENGE that the step-up satisfies is marked, and counts for nothing. It is
 * ALLOW where no CHALLENGE is left; a BLOCK stays one. What is given, and shared by decisions about others,
 * stays as it is.
 */
export function satisfyChallenges(
  policy: Pick<CompiledPolicy, 'stepUps' | 'document'>,
  judgement: Judgement,
  stepUp: StepUpSignals | 'none' | 'unknown' | undefined,
): Judgement {
  if (typeof stepUp !== 'object') return judgement;
  let leftSeconds = Number.POSITIVE_INFINITY;
  const reasons = judgement.reasons.map((reason): Reason => {
    const demand = demandOf(policy, reason);
    if (!isSatisfied(demand, stepUp)) return reason;
    leftSeconds = Math.min(leftSeconds, demand.maxAgeSeconds - stepUp.age_seconds);
    return Object.freeze({ ...reason, satisfied: true, step_up: toAnswer(stepUp) });
  });
  if (leftSeconds === Number.POSITIVE_INFINITY) return judgement;
  const isChallenged = judgement.verdict === 'CHALLENGE' && reasons.some(isOpen);
  const verdict = judgement.verdict === 'CHALLENGE' && !isChallenged ? 'ALLOW' : judgement.verdict;
  return Object.freeze({
    ...judgement,
    verdict,
    reasons: Object.freeze(reasons),
    challenge: isChallenged ? toChallenge(policy, reasons) : null,
    satisfiedSeconds: verdict === 'ALLOW' ? leftSeconds : null,
  });
}

function isSatisfied(demand: StepUpDemand | undefined, stepUp: StepUpSignals): demand is StepUpDemand {
  if (demand === undefined || stepUp.age_seconds >= demand.maxAgeSeconds) return false;
  return demand.acrValues === null || demand.acrValues.includes(stepUp.acr);
}

function toAnswer({ age_seconds, method, acr }: StepUpSignals): NonNullable<Reason['step_up']> {
  return Object.freeze({ age_seconds, method: method || null, acr: acr || null });
}
