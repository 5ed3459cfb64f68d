import { mayReview } from '../session.ts';
import { type GivenLabel, LABELS, type Labelled, labelDecisions } from './labels.ts';

/** Labels what has the focus. True where the key meant that. */
export function onActKey(event: KeyboardEvent, decision: Labelled | null): boolean {
  if (!isPlain(event) || !mayReview()) return false;
  const [label] = Object.entries(LABELS).find(([, key]) => key === event.key) ?? [];
  if (label === undefined || decision === null || !canBe(label, decision)) return false;
  // The names are those of LABELS.
  void labelDecisions([decision], label as GivenLabel);
  return true;
}

/** A key by itself, not into a field, and once for each press. */
export function isPlain(event: KeyboardEvent): boolean {
  return isUnmodified(event) && !event.repeat;
}

/** A key by itself, and not into a field; also as it repeats while it is held down. */
export function isUnmodified(event: KeyboardEvent): boolean {
  const { target } = event;
  const isField =
    target instanceof HTMLElement && target.matches('input:not([type="checkbox"]), select, textarea');
  return !isField && !event.ctrlKey && !event.metaKey && !event.altKey;
}

/** Only a challenge can have been passed. */
export function canBe(label: string, { decision }: Labelled): boolean {
  return label !== 'challenge_passed' || decision === 'CHALLENGE';
}
