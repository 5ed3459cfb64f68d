import { z } from 'zod';

/** What turned out to be the case. */
export const OUTCOME_LABELS = [
  'legit',
  'fraud',
  'challenge_passed',
  'challenge_failed',
  'abandoned',
] as const;

/** What somebody learnt about a decision afterwards. */
export const outcomeLabelSchema = z.object({
  label: z.enum(OUTCOME_LABELS),
  at: z
    .string()
    .describe('When it turned out, RFC 3339 in UTC with milliseconds.')
    .meta({ format: 'date-time' }),
  note: z.string().max(200).nullable(),
  caller: z.string().describe('The id of the API key that said so.'),
});

export type OutcomeLabel = Readonly<z.output<typeof outcomeLabelSchema>>;

/** Labels of one decision: all of them are read and written with each that is added, and shown with the decision. Nobody learns so often how one turned out. */
export const LABELS_MAX = 100;

/** The labels of one decision with `label` among them, the latest last, or null where the same has been said already. Of two at the same time the one that was said later counts. A label whose time is only that of its saying repeats an equal one that is in force. */
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
