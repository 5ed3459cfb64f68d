import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { isPlain, onActKey } from './act/act-keys.ts';
import { ActNotice } from './act/act-notice.tsx';
import { LabelButtons } from './act/label-buttons.tsx';
import { saidHere } from './act/labels.ts';
import { SubjectLists } from './act/subject-lists.tsx';
import { heldBy, walk } from './act/walk.ts';
import type { SubjectRef } from './address.ts';
import { type ApiClient, ApiError } from './api-client.ts';
import { DecisionContradictions } from './decision-contradictions.tsx';
import { DecisionEvidence } from './decision-evidence.tsx';
import { DecisionRules } from './decision-rules.tsx';
import { formatFullTime, formatMs, toWords } from './format.ts';
import { HashLinks } from './hash-links.tsx';
import { Icon, VerdictBadge } from './icons.tsx';
import { endSessionOn, type Session } from './session.ts';
import { address, go } from './view-state.ts';
import type { DecisionDetail } from './wire.ts';

type Reading =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'ready'; readonly decision: DecisionDetail };

/** One decision in full, over the page. */
export function DecisionDialog({ session, id }: { readonly session: Session; readonly id: string }) {
  const { client } = session;
  const dialog = useRef<HTMLDialogElement>(null);
  // With the drawing itself, not after it is painted: a key that comes in between would be lost.
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, []);
  const reading = useReading(client, id);
  // Wherever the focus is: a button that is used is disabled for a moment, or gone, and then nothing has it.
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => onKey(event, id, reading);
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, [id, reading]);
  const close = () => {
    // Gives the focus back to what had it, so that the rows below still stand still.
    dialog.current?.close();
    go({ decisionId: null });
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside the dialog closes it, as Escape does.
    <dialog
      ref={dialog}
      class="detail"
      aria-labelledby="detail-title"
      // At once: the browser tells of a dialog that is closed only with the next frame.
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      // One that the browser closed by itself. Of one that was replaced since, there is no reference any more.
      onClose={() => {
        if (dialog.current?.open === false) close();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="detail-inner">
        <div class="detail-bar">
          <h2 id="detail-title">Decision</h2>
          <Steps id={id} />
          <button class="button button-icon" type="button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        {heldBy.value !== null && (
          <p class="gap" role="status">
            {heldBy.value} is reviewing this decision.
          </p>
        )}
        <Content id={id} session={session} reading={reading} />
        <ActNotice />
      </div>
    </dialog>
  );
}

const LOADING: Reading = { kind: 'loading' };

/** The decision, read again when it was labelled here. */
function useReading(client: ApiClient, id: string): Reading {
  const latest = useSignal({ id, reading: LOADING });
  const said = saidHere.value.get(id);
  useEffect(() => {
    const ending = new AbortController();
    const show = (reading: Reading) => {
      latest.value = { id, reading };
    };
    client
      .get<DecisionDetail>(`v1/decisions/${encodeURIComponent(id)}`, {}, { signal: ending.signal })
      .then((decision) => show({ kind: 'ready', decision }))
      .catch((error: unknown) => {
        if (ending.signal.aborted) return;
        show(toFailure(error));
        endSessionOn(error);
      });
    return () => ending.abort();
  }, [client, id, said]);
  // That of another decision is neither shown nor labelled as this one.
  return latest.value.id === id ? latest.value.reading : LOADING;
}

function onKey(event: KeyboardEvent, id: string, reading: Reading): void {
  if (onActKey(event, reading.kind === 'ready' ? reading.decision : null)) event.preventDefault();
  else if (isPlain(event) && (event.key === 'j' || event.key === 'k'))
    void step(id, event.key === 'j' ? 1 : -1);
}

/** Opens the decision after or before this one, where there is one. */
async function step(id: string, by: 1 | -1): Promise<void> {
  const next = await walk.value(id, by);
  if (next !== null && address.value.decisionId === id) go({ decisionId: next });
}

function Steps({ id }: { readonly id: string }) {
  return (
    <span class="steps">
      <button class="button" type="button" title="The one before (k)" onClick={() => void step(id, -1)}>
        Previous
      </button>
      <button class="button" type="button" title="The one after (j)" onClick={() => void step(id, 1)}>
        Next
      </button>
    </span>
  );
}

function subjectsOf({ subject }: DecisionDetail): readonly SubjectRef[] {
  const { account, devices, telemetry, ip = null, visitor = null } = subject;
  const parts = { account: [account], device: devices, telemetry: [telemetry], ip: [ip], visitor: [visitor] };
  return Object.entries(parts).flatMap(([part, hashes]) =>
    // The names are those of the object above.
    hashes.flatMap((hash) => (hash === null ? [] : [{ part: part as SubjectRef['part'], hash }])),
  );
}

function toFailure(error: unknown): Reading {
  // 400: what was looked for cannot be the id of a decision.
  if (error instanceof ApiError && (error.status === 404 || error.status === 400)) return { kind: 'unknown' };
  return { kind: 'failed', why: error instanceof Error ? error.message : 'no answer' };
}

interface ContentProperties {
  readonly id: string;
  readonly session: Session;
  readonly reading: Reading;
}

function Content({ id, session, reading }: ContentProperties) {
  if (reading.kind === 'loading')
    return (
      <div class="skeleton-rows" role="status">
        <span class="visually-hidden">Loading the decision</span>
        {Array.from({ length: 6 }, (_, place) => (
          <span key={place} class="bone" />
        ))}
      </div>
    );
  if (reading.kind === 'unknown')
    return (
      <div class="state">
        <h3>No such decision</h3>
        <p>
          <code>{id}</code> is not in the log. It may be older than what is kept, or mistyped.
        </p>
      </div>
    );
  if (reading.kind === 'failed')
    return (
      <div class="state state-error" role="alert">
        <h3>The decision cannot be read</h3>
        <p>{reading.why}</p>
      </div>
    );
  const { decision } = reading;
  return (
    <>
      <Head decision={decision} />
      <LabelButtons decisions={[decision]} />
      <DecisionRules decision={decision} />
      <DecisionContradictions decision={decision} />
      <Facts decision={decision} />
      <section>
        <h3>On lists now</h3>
        <SubjectLists
          client={session.client}
          subjects={subjectsOf(decision)}
          hashKey={decision.subject.hash_key ?? null}
        />
      </section>
      <DecisionEvidence decision={decision} />
      <Aftermath decision={decision} />
      <details class="raw">
        <summary>The whole record</summary>
        <pre>{JSON.stringify(decision, null, 2)}</pre>
      </details>
    </>
  );
}

function Head({ decision }: { readonly decision: DecisionDetail }) {
  return (
    <p class="detail-verdict">
      <VerdictBadge verdict={decision.decision} />
      {decision.degraded && <span class="tag tag-degraded">degraded: evidence was missing</span>}
      <time dateTime={decision.decided_at}>{formatFullTime(decision.decided_at)}</time>
    </p>
  );
}

/** Who and what it was about. Every hash leads to all that is known of its subject. */
function Facts({ decision }: { readonly decision: DecisionDetail }) {
  const { subject, policy } = decision;
  return (
    <section>
      <h3>Facts</h3>
      <dl class="pairs">
        <Pair name="Account">
          <HashLinks part="account" hashes={toList(subject.account)} />
        </Pair>
        <Pair name="Device">
          <HashLinks part="device" hashes={subject.devices} />
        </Pair>
        <Pair name="Telemetry id">
          <HashLinks part="telemetry" hashes={toList(subject.telemetry)} />
        </Pair>
        <Pair name="Address">
          {subject.ip === undefined ? 'not kept' : <HashLinks part="ip" hashes={toList(subject.ip)} />}
        </Pair>
        <Pair name="Visitor">
          {subject.visitor ? <HashLinks part="visitor" hashes={[subject.visitor]} /> : 'not known'}
        </Pair>
        <Pair name="Caller">
          {decision.caller}
          {decision.entry_point !== 'decide' && ` via ${decision.entry_point}`}
        </Pair>
        <Pair name="Action">{decision.action ?? 'not given'}</Pair>
        <Pair name="Took">{formatMs(decision.latency_ms)}</Pair>
        <Pair name="Policy">
          {policy.id} <code>{policy.hash.slice(0, 15)}…</code>
        </Pair>
        <Pair name="Decision id">
          <code>{decision.decision_id}</code>
        </Pair>
        {decision.request_id !== null && (
          <Pair name="Request id">
            <code>{decision.request_id}</code>
          </Pair>
        )}
      </dl>
    </section>
  );
}

function toList(hash: string | null | undefined): readonly string[] {
  return hash === null || hash === undefined ? [] : [hash];
}

function Pair({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What became of it. */
function Aftermath({ decision: { labels } }: { readonly decision: DecisionDetail }) {
  if (labels.length === 0) return null;
  return (
    <section>
      <h3>What became of it</h3>
      <ol class="labels">
        {labels.toReversed().map(({ label, at, note, caller }) => (
          <li key={`${at} ${label}`}>
            <span class={`tag tag-${label}`}>{toWords(label)}</span> {formatFullTime(at)}, said by {caller}
            {note !== null && <q>{note}</q>}
          </li>
        ))}
      </ol>
    </section>
  );
}
