import { ACTIVITY_FACTS } from '../activity/activity-facts.ts';
import { CONTRADICTIONS_FACT } from '../contradictions/contradiction-signals.ts';
import { SHARED_FACT } from '../shared-signals/shared-fact.ts';
import { LISTS_FACT } from './list-signals.ts';
import { STEP_UP_FACT } from './step-up-signals.ts';
import type { SubjectFact } from './subject-fact.ts';
import { TELEMETRY_FACT } from './telemetry-signals.ts';

/**
 * Every fact, in the order in which those that a policy reads come after the providers. A fact that no rule
 * reads has no place in a decision, and nobody is asked for it.
 */
export const SUBJECT_FACTS: readonly SubjectFact[] = [
  TELEMETRY_FACT,
  ...ACTIVITY_FACTS,
  STEP_UP_FACT,
  LISTS_FACT,
  SHARED_FACT,
  CONTRADICTIONS_FACT,
];
