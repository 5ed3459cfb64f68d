import { SubjectLists } from '../act/subject-lists.tsx';
import type { SubjectRef } from '../address.ts';
import type { ApiClient } from '../api-client.ts';
import { formatFullTime } from '../format.ts';
import { HashLinks } from '../hash-links.tsx';
import { useAnswer } from '../use-answer.ts';
import type { SubjectMemory } from '../wire-subjects.ts';

interface RememberedProperties {
  readonly client: ApiClient;
  readonly subject: SubjectRef;
  readonly intervalMs: number;
}

/** The lists that it is on, and the challenges that it completed. */
export function Remembered({ client, subject: { part, hash }, intervalMs }: RememberedProperties) {
  const path = `v1/subjects/${part}/${hash}/memory`;
  const reading = useAnswer<SubjectMemory>(client, path, {}, intervalMs).value;
  return (
    <section class="panel" aria-labelledby="subject-remembered">
      <div class="panel-head">
        <h2 id="subject-remembered">Lists and challenges</h2>
      </div>
      {reading.kind === 'loading' && <p class="state state-small">Loading…</p>}
      {(reading.kind === 'failed' || reading.kind === 'unknown') && (
        <p class="state state-small" role="alert">
          It cannot be read: {reading.kind === 'failed' ? reading.why : 'the service keeps none'}.
        </p>
      )}
      {reading.kind === 'ready' && (
        <>
          <SubjectLists client={client} subjects={[{ part, hash }]} hashKey={null} />
          {(part === 'telemetry' || part === 'device' || part === 'account') && (
            <StepUps memory={reading.answer} />
          )}
        </>
      )}
    </section>
  );
}

function StepUps({ memory: { step_ups: stepUps } }: { readonly memory: SubjectMemory }) {
  if (stepUps === null)
    return (
      <p class="state state-small" role="alert">
        Completed challenges cannot be read now.
      </p>
    );
  return (
    <ul class="subject-entries">
      {stepUps.map(({ at, method, acr, telemetry, devices, account }) => (
        <li key={`${at} ${telemetry} ${devices.join()}`}>
          <span class="tag tag-challenge_passed">challenge passed</span> {formatFullTime(at)}
          {method !== null && ` by ${method}`}
          {acr !== null && `, ${acr}`}
          <span class="step-up-subject">
            <HashLinks part="telemetry" hashes={[telemetry]} />
            {devices.length > 0 && <HashLinks part="device" hashes={devices} />}
            {account !== null && <HashLinks part="account" hashes={[account]} />}
          </span>
        </li>
      ))}
      {stepUps.length === 0 && <li class="hint">No completed challenge is kept.</li>}
    </ul>
  );
}
