import { z } from 'zod';

/** How a decision turned out. */
export const OUTCOME_LABELS = [
  'legit',
  'fraud',
  'challenge_passed',
  'challenge_failed',
  'abandoned',
] as const;

/** A label that a caller gives a decision afterwards. */
export const outcomeLabelSchema = z.object({
  label: z.enum(OUTCOME_LABELS),
  at: z
    .string()
    .describe('When it turned out, RFC 3339 in UTC with milliseconds.')
    .meta({ format: 'date-time' }),
  note: z.string().max(200).nullable(),
  caller: z.string().describe('The id of the API key that said so.'),
});

/** What a decision turned out to be, who said so, and when. */
export type OutcomeLabel = Readonly<z.output<typeof outcomeLabelSchema>>;

/**
 * The most labels of one decision. All of them are read and written whenever one is added, and shown with the
 * decision.
 */
export const LABELS_MAX = 100;

/**
 * The labels of one decision with `label` added, the latest last, or null where the same label was given
 * already. Of two labels with the same time, the one given later counts. A label without a time of its own
 * (`isTimeGiven` false) repeats an equal label that is in force.
 */
export function addLabel(
  history: readonly OutcomeLabel[],
  label: OutcomeLabel,
  isTimeGiven: boolean,
): readonly OutcomeLabel[] | null {
  const isSame = (said: OutcomeLabel) => said.label === label.label && said.note === label.note;
  const last = history.at(-1);
  if (!isTimeGiven && last !== undefined && isSame(last)) return null;
  if (history.some((said) => isSame(said) && said.at === label.at)) return null;
  const place = history.findLastIndex(({ at }) => at <= label.at) + 1;
  return history.toSpliced(place, 0, label);
}

/** The label that counts: the latest; null without any. */
export function labelInForce(history: readonly OutcomeLabel[]): OutcomeLabel['label'] | null {
  return history.at(-1)?.label ?? null;
}
