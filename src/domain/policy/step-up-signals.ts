import { z } from 'zod';
import { ageSeconds, type FoundStepUp } from '../step-up/step-up.ts';
import { signalTypeOf } from './signal-type.ts';
import type { SubjectFact } from './subject-fact.ts';

/** What conditions read as the age of what there is none of: older than any. */
export const NEVER_SECONDS = 2_147_483_647;

/**
 * What a policy can read of the step-up of the subject, as the variable `step_up`. It exists unless step-ups
 * cannot be known.
 */
export const stepUpSignalsSchema = z.object({
  age_seconds: z
    .number()
    .int()
    .describe(
      `Seconds since this subject (telemetry id, devices and account together) completed a challenge; ${NEVER_SECONDS} where it has not.`,
    ),
  method: z
    .string()
    .describe(
      'How, in the words of the back end that told it; empty where it did not say, or there is none.',
    ),
  acr: z.string().describe('What it achieved, likewise (`acr` of OpenID Connect).'),
});

const type = signalTypeOf(stepUpSignalsSchema);

/** The step-up of the subject, as the variable `step_up`. */
export const STEP_UP_FACT: SubjectFact = {
  name: 'step_up',
  typeOf: () => type,
  whole: [],
  isOfAll: true,
  whyAbsent: { none: 'no step-up', unknown: 'step-ups unavailable' },
};

/** A step-up as rules read it. */
export type StepUpSignals = z.output<typeof stepUpSignalsSchema>;

/** Conditions read a subject without a step-up as one whose step-up is older than any, by no method. */
export const NEVER_STEPPED_UP: StepUpSignals = Object.freeze({
  age_seconds: NEVER_SECONDS,
  method: '',
  acr: '',
});

/**
 * The step-up that a policy reads at `nowMs`. `unknown` too where it lies in the future, because a clock was
 * set back.
 */
export function toStepUpSignals(
  found: Exclude<FoundStepUp, 'none'>,
  nowMs: number,
): StepUpSignals | 'unknown' {
  if (found === 'unknown') return found;
  const age = ageSeconds(found, nowMs);
  return age === null ? 'unknown' : { age_seconds: age, method: found.method ?? '', acr: found.acr ?? '' };
}
