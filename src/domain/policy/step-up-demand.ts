import { STEP_UP_SECONDS_MAX } from '../step-up/step-up.ts';
import type { PolicyDocument, PolicyMistake, PolicyRule } from './document.ts';
import { toSeconds } from './duration.ts';
import { nearestName } from './nearest-name.ts';
import type { Parameters } from './parameters.ts';

/** What satisfies the CHALLENGE of one rule. */
export interface StepUpDemand {
  /** A step-up that is younger than so many seconds. */
  readonly maxAgeSeconds: number;
  /** With one of these, the lowest first; null takes any, and none. */
  readonly acrValues: readonly string[] | null;
}

/** Conditions may ask for ages that no rule names. */
const LIFE_SECONDS_MIN = 86_400;

const PARAMETER = /^params\.([a-z][a-z0-9_]*)$/;

/** What satisfies each rule that a step-up can satisfy, by the rule's id. Adds mistakes to `mistakes`. */
export function readStepUpDemands(
  document: PolicyDocument,
  parameters: Parameters,
  mistakes: PolicyMistake[],
): ReadonlyMap<string, StepUpDemand> {
  const demands = new Map<string, StepUpDemand>();
  document.rules.forEach((rule, index) => {
    const refuse = (field: 'step_up' | 'min_acr', message: string) =>
      mistakes.push({ path: ['rules', index, field], isKey: false, offset: null, message });
    const { step_up: stepUp } = rule;
    if (stepUp === undefined) {
      if (rule.min_acr !== undefined) refuse('min_acr', 'is for a rule with step_up');
      return;
    }
    // Without its evidence a BLOCK is unknown and, by default, a CHALLENGE: a step-up that satisfied it would
    // make an ALLOW of lost evidence.
    if (rule.verdict !== 'CHALLENGE')
      refuse('step_up', `is for a rule with the verdict CHALLENGE, and this is ${rule.verdict}`);
    const maxAgeSeconds = toMaxAge(stepUp, document, parameters, (message) => refuse('step_up', message));
    const acrValues = toAcrValues(rule, document, (message) => refuse('min_acr', message));
    if (maxAgeSeconds !== null) demands.set(rule.id, Object.freeze({ maxAgeSeconds, acrValues }));
  });
  return demands;
}

/** For how long step-ups are of use to a policy with these demands. */
export function lifeSecondsOf(demands: ReadonlyMap<string, StepUpDemand>): number {
  return Math.max(LIFE_SECONDS_MIN, ...[...demands.values()].map(({ maxAgeSeconds }) => maxAgeSeconds));
}

function toMaxAge(
  written: string,
  document: PolicyDocument,
  parameters: Parameters,
  refuse: (message: string) => void,
): number | null {
  const [, name] = PARAMETER.exec(written) ?? [];
  if (name !== undefined) parameters.read.add(name);
  const parameter = name === undefined ? undefined : document.parameters[name];
  if (name !== undefined && parameter?.type !== 'duration') {
    const meant = parameter === undefined ? nearestName(name, parameters.literals.keys()) : null;
    refuse(
      parameter === undefined
        ? `no parameter "${name}" at the top of the file${meant === null ? '' : `: did you mean "${meant}"?`}`
        : `the parameter "${name}" is of type ${parameter.type}, not duration`,
    );
    return null;
  }
  const seconds = toSeconds(parameter === undefined ? written : String(parameter.value)) ?? 0;
  if (seconds >= 1 && seconds <= STEP_UP_SECONDS_MAX) return seconds;
  refuse('must be between 1s and 30d');
  return null;
}

function toAcrValues(
  { min_acr: least }: PolicyRule,
  { acr_values: known }: PolicyDocument,
  refuse: (message: string) => void,
): readonly string[] | null {
  if (least === undefined) return null;
  const place = known.indexOf(least);
  if (place >= 0) return Object.freeze(known.slice(place));
  const meant = nearestName(least, known);
  refuse(
    `is not among the acr_values at the top of the file${meant === null ? '' : `: did you mean "${meant}"?`}`,
  );
  return null;
}
