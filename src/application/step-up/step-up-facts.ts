import { type CompiledPolicy, readsFact } from '../../domain/policy/compile.ts';
import { NEVER_STEPPED_UP, STEP_UP_FACT, toStepUpSignals } from '../../domain/policy/step-up-signals.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import type { FoundStepUp } from '../../domain/step-up/step-up.ts';
import type { Clock } from '../clock.ts';
import type { ConcludeFacts, FactSource } from '../facts/fact-source.ts';
import { settleBy } from '../facts/settle-by.ts';
import type { StepUps } from './step-ups.ts';

/** What nearly every decision is told: nothing is built for it. */
const NONE: SubjectFacts = Object.freeze({ [STEP_UP_FACT.name]: 'none' });
const NEVER: SubjectFacts = Object.freeze({ [STEP_UP_FACT.name]: NEVER_STEPPED_UP });
const tellNone: ConcludeFacts = () => NONE;
const tellNever: ConcludeFacts = () => NEVER;

/**
 * The step-up of the subject as a fact. It is needed only where a CHALLENGE would come of the evidence, and
 * asked for with it all the same: to ask afterwards would cost such a decision another round trip.
 */
export function toStepUpFacts(stepUps: Pick<StepUps, 'find'>, clock: Clock): FactSource {
  return {
    names: [STEP_UP_FACT.name],
    ask: ({ subject, policy, deadlineAtMs }) => {
      const found = stepUps.find(subject);
      if (!(found instanceof Promise)) return toConclude(found, policy);
      const inTime = settleBy(found, deadlineAtMs - clock.monotonicMs(), 'unknown');
      return inTime.then((settled) => toConclude(settled, policy));
    },
  };
}

function toConclude(found: FoundStepUp, policy: CompiledPolicy): ConcludeFacts {
  const isRead = readsFact(policy, STEP_UP_FACT.name);
  if (found === 'none') return isRead ? tellNever : tellNone;
  return ({ nowMs }) => ({ [STEP_UP_FACT.name]: toStepUpSignals(found, nowMs) });
}
