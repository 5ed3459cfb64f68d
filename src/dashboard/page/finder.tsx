import { useSignal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { isDecisionId, PARTS, type SubjectRef } from './address.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { Icon } from './icons.tsx';
import { endSessionOn } from './session.ts';
import { go } from './view-state.ts';
import type { DecisionPage } from './wire.ts';
import type { FoundSubject } from './wire-subjects.ts';

/** What is looked for, by the field that the service takes. */
const KINDS = {
  device_id: 'Device id',
  account_id: 'Account',
  telemetry_id: 'Telemetry id',
  ip: 'IP address',
  decision_id: 'Decision id',
} as const;
type Kind = keyof typeof KINDS;

const HASH = /^#?([0-9a-f]{32})$/;

/** Why nothing was opened: a sentence for a person. */
type Failure = string;

/**
 * Opens a decision by its id, and a subject by its keyed hash (`#` and 32 digits) or by an identifier. An identifier
 * is sent to the service in a body, which hashes it: it is in no address, and is kept nowhere.
 */
export function Finder({ client }: { readonly client: ApiClient }) {
  const kind = useSignal<Kind>('device_id');
  const failure = useSignal<Failure>('');
  const field = useRef<HTMLInputElement>(null);
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const text = field.current?.value.trim() ?? '';
    if (text === '') return;
    try {
      failure.value = await open(client, kind.value, text);
      if (failure.value === '' && field.current !== null) field.current.value = '';
    } catch (error) {
      failure.value =
        error instanceof ApiError && error.status === 400
          ? `Not something that a ${KINDS[kind.value].toLowerCase()} can be.`
          : `Not found out: ${error instanceof Error ? error.message : 'no answer'}`;
      endSessionOn(error);
    }
  };
  return (
    <search>
      <form class="finder" onSubmit={(event) => void submit(event)} autocomplete="off">
        <KindChoice
          kind={kind.value}
          onChange={(chosen) => {
            kind.value = chosen;
            failure.value = '';
          }}
        />
        <label class="finder-field">
          <span class="visually-hidden">{KINDS[kind.value]}</span>
          <input
            ref={field}
            type="search"
            placeholder="Find by id or #hash"
            spellcheck={false}
            maxLength={256}
          />
        </label>
        <button class="button button-icon" type="submit" aria-label="Find">
          <Icon name="search" />
        </button>
        {failure.value !== '' && (
          <span class="finder-failure" role="alert">
            {failure.value}
          </span>
        )}
      </form>
    </search>
  );
}

interface ChoiceProperties {
  readonly kind: Kind;
  readonly onChange: (kind: Kind) => void;
}

function KindChoice({ kind, onChange }: ChoiceProperties) {
  return (
    <label>
      <span class="visually-hidden">Find by</span>
      <select
        value={kind}
        // The options are those of KINDS.
        onChange={(event) => onChange(event.currentTarget.value as Kind)}
      >
        {Object.entries(KINDS).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Resolves with why nothing was opened, empty where something was. Rejects as the client does. */
async function open(client: ApiClient, kind: Kind, text: string): Promise<Failure> {
  const [, hash] = HASH.exec(text) ?? [];
  if (hash !== undefined) return openHash(client, hash);
  if (text.startsWith('#'))
    return 'A keyed hash has 32 digits, of which the page shows the first: copy the link.';
  if (kind === 'decision_id') {
    if (!isDecisionId(text))
      return 'Not a decision id: those are UUIDs like 01a1f965-b26f-7696-8202-c426ccf51e1b.';
    go({ decisionId: text });
    return '';
  }
  const found = await client.get<FoundSubject>(
    'v1/subjects/find',
    {},
    { method: 'POST', body: { [kind]: text } },
  );
  show(found.part, await seenAmong(client, found));
  return '';
}

/** Under several hash keys a subject has several hashes: the latest that the log knows. */
async function seenAmong(client: ApiClient, { part, hashes }: FoundSubject): Promise<string> {
  const [first, ...others] = hashes.map(({ hash }) => hash);
  for (const hash of others.length === 0 ? [] : [first, ...others]) {
    const { decisions } = await client.get<DecisionPage>('v1/decisions', { [part]: `#${hash}`, limit: '1' });
    if (decisions.length > 0) return hash ?? '';
  }
  return first ?? '';
}

async function openHash(client: ApiClient, hash: string): Promise<Failure> {
  const { decisions } = await client.get<DecisionPage>('v1/decisions', { subject: `#${hash}`, limit: '1' });
  const subject = decisions[0]?.subject;
  if (subject === undefined) return 'No decision about a subject with this hash is kept.';
  const part = PARTS.find((one) =>
    one === 'device' ? subject.devices.includes(hash) : subject[one] === hash,
  );
  // What is none of the parts is the network of an address.
  show(part ?? 'ip', hash);
  return '';
}

function show(part: SubjectRef['part'], hash: string): void {
  go({ view: 'subject', subject: { part, hash }, decisionId: null });
}
