import { useSignal } from '@preact/signals';
import { diffLines } from 'diff';
import type { ApiClient } from '../api-client.ts';
import { NotThere } from '../not-there.tsx';
import { useAnswer } from '../use-answer.ts';
import type { KeptPolicy } from '../wire-policies.ts';

/** A text of this hash never changes. */
const EVERY_MS = 3_600_000;

interface TextProperties {
  readonly client: ApiClient;
  readonly hash: string;
}

/** The text of a policy, read when it is opened. */
export function PolicyText({ client, hash }: TextProperties) {
  return <Opened title="Text">{() => <Text client={client} hash={hash} />}</Opened>;
}

/** What one policy has and the other has not, line by line. */
export function PolicyDifference({ client, hash, from }: TextProperties & { readonly from: string }) {
  return <Opened title="Difference">{() => <Difference client={client} hash={hash} from={from} />}</Opened>;
}

interface OpenedProperties {
  readonly title: string;
  readonly children: () => preact.JSX.Element;
}

function Opened({ title, children }: OpenedProperties) {
  const isOpen = useSignal(false);
  return (
    <details
      class="policy-part"
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>{title}</summary>
      {isOpen.value && children()}
    </details>
  );
}

function Text({ client, hash }: TextProperties) {
  const reading = useAnswer<KeptPolicy>(client, `v1/policies/${hash}`, {}, EVERY_MS).value;
  if (reading.kind !== 'ready') return <NotThere what="the text" reading={reading} />;
  return <pre class="policy-text">{reading.answer.text}</pre>;
}

/** Lines around a change that are shown. */
const AROUND = 2;

function Difference({ client, hash, from }: TextProperties & { readonly from: string }) {
  const now = useAnswer<KeptPolicy>(client, `v1/policies/${hash}`, {}, EVERY_MS).value;
  const before = useAnswer<KeptPolicy>(client, `v1/policies/${from}`, {}, EVERY_MS).value;
  if (now.kind !== 'ready') return <NotThere what="the text" reading={now} />;
  if (before.kind !== 'ready') return <NotThere what="the text before" reading={before} />;
  const changes = diffLines(before.answer.text, now.answer.text);
  if (changes.every(({ added, removed }) => !added && !removed))
    return <p class="state state-small">The two texts are the same.</p>;
  return (
    <pre class="policy-text">
      {changes.map(({ value, added, removed }, place) => {
        if (added) return <ins key={place}>{marked(value, '+')}</ins>;
        if (removed) return <del key={place}>{marked(value, '−')}</del>;
        return <span key={place}>{marked(shorten(value, place > 0, place < changes.length - 1), ' ')}</span>;
      })}
    </pre>
  );
}

function marked(text: string, mark: string): string {
  return text.replace(/^(?=.|\n)/gm, `${mark} `);
}

/** Leaves out lines that are far from any change. */
function shorten(text: string, isAfter: boolean, isBefore: boolean): string {
  const lines = text.split('\n');
  const isEnded = lines.at(-1) === '';
  if (isEnded) lines.pop();
  const head = isAfter ? lines.slice(0, AROUND) : [];
  const tail = isBefore ? lines.slice(-AROUND) : [];
  if (lines.length <= head.length + tail.length) return text;
  return [...head, '…', ...tail].join('\n') + (isEnded ? '\n' : '');
}
