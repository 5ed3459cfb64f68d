import { toWords } from '../format.ts';
import { mayReview } from '../session.ts';
import { canBe } from './act-keys.ts';
import { isActing } from './acts.ts';
import { type GivenLabel, LABELS, type Labelled, labelDecisions, labelOf } from './labels.ts';

interface LabelButtonsProperties {
  /** With several, each of them is given the label. */
  readonly decisions: readonly Labelled[];
  /** Within a row: without words, and reached by the keyboard only where the row is. */
  readonly isSmall?: boolean;
  readonly isTabStop?: boolean;
  /** False where the keys mean something else: a selection. */
  readonly hasKeys?: boolean;
}

/** What a decision turned out to be, in one click. Nothing where that is not allowed. */
export function LabelButtons({
  decisions,
  isSmall = false,
  isTabStop = true,
  hasKeys = true,
}: LabelButtonsProperties) {
  if (!mayReview() || decisions.length === 0) return null;
  const give = (label: GivenLabel | null) => void labelDecisions(decisions, label);
  // The names are those of LABELS.
  const labels = Object.entries(LABELS) as [GivenLabel, string][];
  const hasLabel = decisions.some((decision) => labelOf(decision) !== null);
  return (
    <fieldset class={isSmall ? 'label-buttons label-buttons-small' : 'label-buttons'}>
      <legend class="visually-hidden">What it turned out to be</legend>
      {labels
        .filter(([label]) => decisions.every((decision) => canBe(label, decision)))
        .map(([label, key]) => (
          <button
            key={label}
            class={`button label-${label}`}
            type="button"
            disabled={isActing.value}
            tabIndex={isTabStop ? 0 : -1}
            title={`Label ${toWords(label)}${hasKeys ? ` (${key})` : ''}`}
            aria-pressed={decisions.every((decision) => labelOf(decision) === label)}
            onClick={(event) => {
              event.stopPropagation();
              // It is disabled for a moment: its row takes the next key.
              event.currentTarget.closest<HTMLElement>('[data-place]')?.focus({ preventScroll: true });
              give(label);
            }}
          >
            {isSmall ? key.toUpperCase() : toWords(label)}
            {isSmall && <span class="visually-hidden">: label {toWords(label)}</span>}
            {!isSmall && hasKeys && <kbd>{key}</kbd>}
          </button>
        ))}
      {hasLabel && !isSmall && (
        <button
          class="button button-quiet"
          type="button"
          disabled={isActing.value}
          onClick={() => give(null)}
        >
          Take the label back
        </button>
      )}
    </fieldset>
  );
}
