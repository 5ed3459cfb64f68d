import { OUTCOMES, type Outcome } from '../evidence.ts';
import type { EvidenceRecord } from './decision-record.ts';

/** Counted in place of `not_found` where the caller gave no id: nobody was asked about one. */
const NOT_GIVEN = 'not_given';

/** What decisions are filtered and counted by of a provider. */
export const COUNTED_OUTCOMES = [...OUTCOMES, NOT_GIVEN] as const;

/** What decisions are filtered and counted by of a provider: its outcome, or that no id was given. */
export type CountedOutcome = Outcome | typeof NOT_GIVEN;

/** By what the use of a provider counts. Records have `not_found` for a missing id too, without a call. */
export function countedOutcomeOf({
  outcome,
  cache,
}: Pick<EvidenceRecord, 'outcome' | 'cache'>): CountedOutcome {
  return outcome === 'not_found' && cache === 'none' ? NOT_GIVEN : outcome;
}
