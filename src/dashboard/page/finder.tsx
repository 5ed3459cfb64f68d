import { useSignal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { isDecisionId } from './address.ts';
import { Icon } from './icons.tsx';
import { go, lookup } from './view-state.ts';

const KINDS = {
  device_id: 'Device id',
  telemetry_id: 'Telemetry id',
  account_id: 'Account',
  decision_id: 'Decision id',
} as const;
type Kind = keyof typeof KINDS;

/**
 * Finds decisions by an identifier. It is sent to the service, which hashes it, and never becomes a part of
 * the address.
 */
export function Finder() {
  const kind = useSignal<Kind>('device_id');
  const isOdd = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const id = field.current?.value.trim() ?? '';
    if (id === '') return;
    if (kind.value === 'decision_id') {
      isOdd.value = !isDecisionId(id);
      if (isOdd.value) return;
      go({ decisionId: id });
    } else lookup.value = { kind: kind.value, id };
    if (field.current !== null) field.current.value = '';
  };
  return (
    <search>
      <form class="finder" onSubmit={submit} autocomplete="off">
        <label>
          <span class="visually-hidden">Find by</span>
          <select
            value={kind.value}
            onChange={(event) => {
              // The options are those of KINDS.
              kind.value = event.currentTarget.value as Kind;
              isOdd.value = false;
            }}
          >
            {Object.entries(KINDS).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="finder-field">
          <span class="visually-hidden">{KINDS[kind.value]}</span>
          <input ref={field} type="search" placeholder="Find by id" spellcheck={false} maxLength={256} />
        </label>
        <button class="button button-icon" type="submit" aria-label="Find">
          <Icon name="search" />
        </button>
        {isOdd.value && (
          <span class="finder-failure" role="alert">
            Not a decision id: those are UUIDs like 01a1f965-b26f-7696-8202-c426ccf51e1b.
          </span>
        )}
      </form>
    </search>
  );
}
