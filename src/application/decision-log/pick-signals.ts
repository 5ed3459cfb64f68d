import type { Signals, SignalValue } from '../../domain/evidence.ts';

/** How many different picks are remembered for the names that a policy reads of a provider. */
const PICKS_MAX = 16;

interface Picks {
  readonly latest: Signals[];
  /** Which of them makes room next. */
  oldest: number;
}

const picksOf = new WeakMap<readonly string[], Picks>();

/**
 * The signals with these names. Most decisions read the same few values, so picks that were made lately are
 * given again: records then share them, and their text too. They are frozen. The names must never change.
 */
export function pickSignals(signals: Signals, names: readonly string[]): Signals {
  let picks = picksOf.get(names);
  if (picks === undefined) {
    picks = { latest: [], oldest: 0 };
    picksOf.set(names, picks);
  }
  for (const known of picks.latest) if (isPickOf(known, signals, names)) return known;
  const picked = Object.freeze(pick(signals, names));
  picks.latest[picks.oldest] = picked;
  picks.oldest = (picks.oldest + 1) % PICKS_MAX;
  return picked;
}

/**
 * Lists and objects are the same only where they are one: those of two pieces of evidence are not compared.
 */
function isPickOf(picked: Signals, signals: Signals, names: readonly string[]): boolean {
  if (picked.found !== signals.found) return false;
  for (const name of names) if (picked[name] !== signals[name]) return false;
  return true;
}

function pick(signals: Signals, names: readonly string[]): Signals {
  const picked: Record<string, SignalValue> & { found: boolean } = { found: signals.found };
  for (const name of names) {
    const value = signals[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
