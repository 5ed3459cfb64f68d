import { useEffect } from 'preact/hooks';

import type { SubjectRef } from '../address.ts';
import { ListedDecisions } from '../decision-list.tsx';
import { Finder } from '../finder.tsx';
import { formatCount, formatFullTime } from '../format.ts';
import { startFeed } from '../live-feed.ts';
import { PART_NAMES } from '../part-names.ts';
import { endSessionOn } from '../session.ts';
import { type Reading, useAnswer } from '../use-answer.ts';
import type { ViewProperties } from '../view.ts';
import { address, isPaused } from '../view-state.ts';
import type { SubjectHistory } from '../wire-subjects.ts';
import { DayChart } from './day-chart.tsx';
import { Labels } from './labels.tsx';
import { Remembered } from './remembered.tsx';
import { SeenWith } from './seen-with.tsx';
import { WindowCounts } from './window-counts.tsx';

/** How often what is shown is read again. */
const INTERVAL_MS = 15_000;

/** One subject: a telemetry id, a device, an account, an address or a visitor, by its keyed hash. */
export function SubjectView({ session }: ViewProperties) {
  const { subject } = address.value;
  return (
    <main class="page">
      <section class="panel subject-head">
        <div class="panel-head">
          {subject === null ? <h2>No subject</h2> : <Title subject={subject} />}
          <Finder client={session.client} />
        </div>
        {subject === null && (
          <p class="state state-small">
            The address names nobody. Find somebody by an identifier or a keyed hash, or follow a hash of a
            decision.
          </p>
        )}
      </section>
      {subject !== null && (
        <Known key={`${subject.part}/${subject.hash}`} session={session} subject={subject} />
      )}
    </main>
  );
}

function Title({ subject: { part, hash } }: { readonly subject: SubjectRef }) {
  return (
    <h2>
      {PART_NAMES[part]} <code class="subject-hash">#{hash}</code>
    </h2>
  );
}

interface KnownProperties extends ViewProperties {
  readonly subject: SubjectRef;
}

function Known({ session, subject }: KnownProperties) {
  const { client } = session;
  const { part, hash } = subject;
  const history = useAnswer<SubjectHistory>(client, `v1/subjects/${part}/${hash}`, {}, INTERVAL_MS);
  const query = { [part]: `#${hash}` };
  const paused = isPaused.value;
  useEffect(() => (paused ? undefined : startFeed(client, query, endSessionOn)), [client, paused]);
  return (
    <>
      <div class="columns">
        <History reading={history.value} subject={subject} />
        <Remembered client={client} subject={subject} intervalMs={INTERVAL_MS} />
      </div>
      {history.value.kind === 'ready' && <SeenWith history={history.value.answer} />}
      <WindowCounts client={client} subject={subject} />
      <section class="panel decisions" aria-labelledby="subject-decisions">
        <div class="panel-head">
          <h2 id="subject-decisions">Its decisions</h2>
        </div>
        <ListedDecisions session={session} query={query} />
      </section>
    </>
  );
}

function History({
  reading,
  subject,
}: {
  readonly reading: Reading<SubjectHistory>;
  readonly subject: SubjectRef;
}) {
  if (reading.kind === 'loading')
    return (
      <div class="panel skeleton-rows" role="status">
        <span class="visually-hidden">Loading what is known</span>
        <span class="bone" />
        <span class="bone" />
      </div>
    );
  if (reading.kind === 'unknown')
    return (
      <div class="panel state">
        <h3>No decision about it is kept</h3>
        <p>
          The log holds none that names this {PART_NAMES[subject.part].toLowerCase()}, or no longer. A hash of
          another part of a subject is none of this one.
        </p>
      </div>
    );
  if (reading.kind === 'failed')
    return (
      <div class="panel state state-error" role="alert">
        <h3>What is known cannot be read</h3>
        <p>{reading.why}</p>
      </div>
    );
  return <Found answer={reading.answer} />;
}

function Found({ answer }: { readonly answer: SubjectHistory }) {
  return (
    <section class="panel" aria-labelledby="subject-verdicts">
      <div class="panel-head">
        <h2 id="subject-verdicts">Verdicts by day</h2>
        <p class="hint">
          {formatCount(answer.total)} decisions
          {!answer.complete && ', the latest: older ones were not looked at'}
        </p>
      </div>
      <DayChart history={answer} />
      <dl class="pairs subject-times">
        <div>
          <dt>First seen</dt>
          <dd>{formatFullTime(answer.first_seen)}</dd>
        </div>
        <div>
          <dt>Last seen</dt>
          <dd>{formatFullTime(answer.last_seen)}</dd>
        </div>
        <div>
          <dt>What its decisions turned out to be</dt>
          <dd>
            <Labels history={answer} />
          </dd>
        </div>
      </dl>
    </section>
  );
}
