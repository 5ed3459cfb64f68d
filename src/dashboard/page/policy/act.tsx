import { useSignal } from '@preact/signals';
import { ApiError } from '../api-client.ts';
import { endSessionOn } from '../session.ts';

interface ActProperties {
  readonly name: string;
  /** What is asked before it is done. */
  readonly question: string;
  readonly isDisabled: boolean;
  /** Rejects as the client does. */
  readonly run: () => Promise<unknown>;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'asked' }
  | { readonly kind: 'running' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string };

/** A button for what changes all replicas: it asks once more, and says what became of it. */
export function Act({ name, question, isDisabled, run }: ActProperties) {
  const state = useSignal<State>({ kind: 'idle' });
  const confirm = async (): Promise<void> => {
    state.value = { kind: 'running' };
    try {
      await run();
      state.value = { kind: 'done' };
    } catch (error) {
      state.value = { kind: 'failed', why: error instanceof Error ? error.message : 'no answer' };
      // What one may not do is no reason to be signed out.
      if (error instanceof ApiError && error.status === 401) endSessionOn(error);
    }
  };
  const { value } = state;
  if (value.kind === 'asked')
    return (
      <span class="act">
        {question}{' '}
        <button class="button button-primary" type="button" onClick={() => void confirm()}>
          {name}
        </button>
        <button
          class="button"
          type="button"
          onClick={() => {
            state.value = { kind: 'idle' };
          }}
        >
          Cancel
        </button>
      </span>
    );
  return (
    <span class="act">
      <button
        class="button"
        type="button"
        disabled={isDisabled || value.kind === 'running'}
        onClick={() => {
          state.value = { kind: 'asked' };
        }}
      >
        {name}…
      </button>
      {value.kind === 'done' && <span role="status">Done.</span>}
      {value.kind === 'failed' && <span role="alert">{value.why}</span>}
    </span>
  );
}
