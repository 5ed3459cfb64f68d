import { signal } from '@preact/signals';
import { endSessionOnUnknown } from '../session.ts';

/** What the page says of what was just done, and how to take it back. */
export interface ActNotice {
  readonly text: string;
  readonly isFailure: boolean;
  /** Null where there is nothing to take back. */
  readonly undo: (() => Promise<void>) | null;
}

/** Of the latest act; null before the first, and once it is put away. */
export const actNotice = signal<ActNotice | null>(null);

/** True while an act or its undoing is under way. */
export const isActing = signal(false);

let latest: Promise<void> = Promise.resolve();

/**
 * Runs one act after another, in their order, and says how each ended; what it throws becomes a failure. Null says
 * nothing new.
 */
export function act(run: () => Promise<ActNotice | null>): Promise<void> {
  latest = latest.then(async () => {
    isActing.value = true;
    try {
      actNotice.value = (await run()) ?? actNotice.value;
    } catch (error) {
      endSessionOnUnknown(error);
      actNotice.value = failed(error);
    }
    isActing.value = false;
  });
  return latest;
}

/** Takes the latest act back, where that can be done. */
export function undoLatest(): Promise<void> {
  return act(async () => {
    const undo = actNotice.value?.undo ?? null;
    if (undo === null) return null;
    await undo();
    return { text: 'Taken back', isFailure: false, undo: null };
  });
}

function failed(error: unknown): ActNotice {
  const why = error instanceof Error ? error.message : 'no answer';
  return { text: `Not done: ${why}`, isFailure: true, undo: null };
}
