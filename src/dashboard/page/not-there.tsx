import type { Reading } from './use-answer.ts';

/** What stands where an answer is not there yet, or cannot be had. */
export function NotThere({ what, reading }: { readonly what: string; readonly reading: Reading<unknown> }) {
  if (reading.kind !== 'failed' && reading.kind !== 'unknown')
    return (
      <p class="state state-small" role="status">
        Reading {what}…
      </p>
    );
  return (
    <div class="state state-error" role="alert">
      <h3>{what.charAt(0).toUpperCase() + what.slice(1)} cannot be read</h3>
      <p>
        {reading.kind === 'failed' ? reading.why : 'The service has no such thing.'} Trying again by itself.
      </p>
    </div>
  );
}
