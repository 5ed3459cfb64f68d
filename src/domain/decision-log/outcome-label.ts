import { z } from 'zod';

/** How a decision turned out. */
export const OUTCOME_LABELS = [
  'legit',
  'fraud',
  'challenge_passed',
  'challenge_failed',
  'abandoned',
] as const;

/** What a decision turned out to be. */
export type Label = (typeof OUTCOME_LABELS)[number];

/** Said in place of a label: no label that was given before counts any more. */
export const WITHDRAWN = 'withdrawn';

/** What stores keep as the label in force of a decision whose labels were withdrawn. */
export const NOT_LABELLED = '';

/** What callers say of decisions. */
export const SAID_LABELS = [...OUTCOME_LABELS, WITHDRAWN] as const;

/** A label that a caller gives a decision afterwards. */
export const outcomeLabelSchema = z.object({
  label: z.enum(SAID_LABELS).describe('`withdrawn` takes back what was said before it.'),
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
 * already. Of two labels with the same time, the one given later counts. A withdrawal takes back what was said before
 * it alone: what is said afterwards stands after it, whatever time it names. A label without a time of its own
 * (`isTimeGiven` false) repeats an equal label that is in force; one that withdraws all of them then stands after
 * them, whatever a clock says, and is a repetition where none is in force.
 */
export function addLabel(
  history: readonly OutcomeLabel[],
  label: OutcomeLabel,
  isTimeGiven: boolean,
): readonly OutcomeLabel[] | null {
  const isSame = (said: OutcomeLabel) => said.label === label.label && said.note === label.note;
  const last = history.at(-1);
  if (!isTimeGiven && last !== undefined && isSame(last)) return null;
  if (!isTimeGiven && label.label === WITHDRAWN) return withdraw(history, label);
  if (history.some((said) => isSame(said) && said.at === label.at)) return null;
  const begin = history.findLastIndex(({ label: said }) => said === WITHDRAWN) + 1;
  const place = history.findLastIndex(({ at }) => at <= label.at) + 1;
  return history.toSpliced(Math.max(begin, place), 0, label);
}

/** What becomes of the labels of a decision. */
type Labelling =
  | { readonly kind: 'recorded'; readonly labels: readonly OutcomeLabel[] }
  | { readonly kind: 'unchanged' | 'changed' | 'full' };

/**
 * Adds a label as addLabel does. `changed`: the decision had so many labels where the label was meant for (`seen`) and
 * has others now; null is meant for any. `full`: it has LABELS_MAX labels. What was said already is `unchanged`,
 * whatever was seen.
 */
export function tryLabel(
  history: readonly OutcomeLabel[],
  label: OutcomeLabel,
  isTimeGiven: boolean,
  seen: number | null,
): Labelling {
  const labels = addLabel(history, label, isTimeGiven);
  if (labels === null) return { kind: 'unchanged' };
  if (seen !== null && history.length !== seen) return { kind: 'changed' };
  return labels.length > LABELS_MAX ? { kind: 'full' } : { kind: 'recorded', labels };
}

function withdraw(history: readonly OutcomeLabel[], label: OutcomeLabel): readonly OutcomeLabel[] | null {
  const last = saidInForce(history);
  if (last === null) return null;
  return [...history, { ...label, at: label.at < last.at ? last.at : label.at }];
}

/** The label that counts: the latest; null without any, and where it was withdrawn. */
export function labelInForce(history: readonly OutcomeLabel[]): Label | null {
  return saidInForce(history)?.label ?? null;
}

/** The label that counts, with who gave it and when. */
export function saidInForce(
  history: readonly OutcomeLabel[],
): (OutcomeLabel & { readonly label: Label }) | null {
  const last = history.at(-1);
  return last === undefined || last.label === WITHDRAWN ? null : { ...last, label: last.label };
}

/**
 * When this was said first, by its own time: Unix milliseconds. What is said again without a time may be a repetition,
 * even where something else was said in between. Infinity where it was never said.
 */
export function firstSaidMs(history: readonly OutcomeLabel[], label: OutcomeLabel['label']): number {
  const said = history.filter((each) => each.label === label);
  return Math.min(...said.map(({ at }) => Date.parse(at)));
}

/**
 * The labels that the latest withdrawal took back: those that were given since the one before it, each once. None
 * where nothing was withdrawn.
 */
export function takenBack(history: readonly OutcomeLabel[]): readonly Label[] {
  const end = history.findLastIndex(({ label }) => label === WITHDRAWN);
  const begin = history.findLastIndex(({ label }, place) => label === WITHDRAWN && place < end) + 1;
  const said = history.slice(begin, Math.max(begin, end)).map(({ label }) => label);
  return OUTCOME_LABELS.filter((label) => said.includes(label));
}

/** How often labels of a decision were withdrawn. */
export function withdrawals(history: readonly OutcomeLabel[]): number {
  return history.filter(({ label }) => label === WITHDRAWN).length;
}

/** How many labels say that it was fraud, and how many that it was not. `abandoned` does not show who it was. */
export function sidesOf(labels: ReadonlyMap<string, number>): {
  readonly fraud: number;
  readonly legit: number;
} {
  const of = (label: Label) => labels.get(label) ?? 0;
  return { fraud: of('fraud') + of('challenge_failed'), legit: of('legit') + of('challenge_passed') };
}
