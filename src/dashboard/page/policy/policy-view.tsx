import type { ComponentChildren } from 'preact';
import type { ApiClient } from '../api-client.ts';
import { NotThere } from '../not-there.tsx';
import { useAnswer } from '../use-answer.ts';
import type { View } from '../view.ts';
import type { SessionState } from '../wire.ts';
import type { Policies, PolicyHistory } from '../wire-policies.ts';
import { CandidatePanel } from './candidate-panel.tsx';
import { Findings } from './findings.tsx';
import { HistoryPanel } from './history-panel.tsx';
import { PolicyName } from './policy-name.tsx';
import { PolicyText } from './policy-text.tsx';
import { UnderWayLine } from './under-way-line.tsx';

const EVERY_MS = 10_000;
/** Scopes change with the key alone. */
const SESSION_EVERY_MS = 600_000;

/** The policy in force, what is to follow it, and what was in force before. */
export const PolicyView: View = ({ session: { client } }) => {
  const session = useAnswer<SessionState>(client, 'v1/session', {}, SESSION_EVERY_MS).value;
  // Without a session in the browser it is not known what one may do: then nothing is offered.
  const scopes = session.kind === 'ready' ? (session.answer.scopes ?? []) : [];
  const policies = useAnswer<Policies>(client, 'v1/policies', {}, EVERY_MS).value;
  const history = useAnswer<PolicyHistory>(client, 'v1/policies/history', {}, EVERY_MS).value;
  if (policies.kind !== 'ready' || history.kind !== 'ready')
    return (
      <main class="page">
        <section class="panel">
          <NotThere what="the policies" reading={policies.kind === 'ready' ? history : policies} />
        </section>
      </main>
    );
  const { in_force: inForce, candidates, promotion, promotion_state: promotionState } = policies.answer;
  return (
    <main class="page">
      <InForce client={client} inForce={inForce} history={history.answer}>
        {promotion !== null && (
          <UnderWayLine
            key={promotion.began_at}
            client={client}
            promotion={promotion}
            inForce={inForce}
            mayTakeBack={scopes.includes('admin')}
          />
        )}
        {PROMOTION_WARNINGS[promotionState] !== undefined && (
          <p class="policy-line policy-warning" role="status">
            {PROMOTION_WARNINGS[promotionState]}
          </p>
        )}
      </InForce>
      {candidates.map((candidate) => (
        <CandidatePanel
          key={candidate.hash}
          client={client}
          scopes={scopes}
          candidate={candidate}
          inForce={inForce}
        />
      ))}
      {candidates.length === 0 && (
        <section class="panel" aria-labelledby="candidates-title">
          <div class="panel-head">
            <h2 id="candidates-title">Candidates</h2>
          </div>
          <p class="state state-small">
            No policy judges beside the one in force. Register one with <code>riskgate candidate</code>, by{' '}
            <code>PUT /v1/policies/…/candidate</code>, or in <code>POLICY_CANDIDATES</code>.
          </p>
        </section>
      )}
      <HistoryPanel client={client} scopes={scopes} history={history.answer} inForce={inForce.hash} />
    </main>
  );
};

interface InForceProperties {
  readonly client: ApiClient;
  readonly inForce: Policies['in_force'];
  readonly history: PolicyHistory;
  readonly children: ComponentChildren;
}

/** Of states of a promotion in which this replica takes no part. */
const PROMOTION_WARNINGS: Readonly<Record<string, string>> = {
  unusable:
    'A promotion is under way, and this replica cannot use the policy beside the one in force: here no account is answered by it, nothing is watched and nothing is taken back.',
  no_effect:
    'A share of a promotion stands beside another policy than the one in force on this replica, and is of no effect here.',
};

const STATES: Readonly<Record<string, string>> = {
  file: 'from its file',
  put: 'put in force for all replicas, over their files',
  refused: 'what was put in force cannot be used here, so that an older policy stays',
  unknown: 'it is not known yet whether something was put in force: the file counts',
  stale: 'what was put in force cannot be read at the moment: others may have changed it',
};

function InForce({ client, inForce, history, children }: InForceProperties) {
  const { id, hash, state, file } = inForce;
  const entry = history.policies.find((one) => one.hash === hash);
  return (
    <section class="panel" aria-labelledby="in-force-title">
      <div class="panel-head">
        <h2 id="in-force-title">In force</h2>
        <p class="panel-note">{STATES[state] ?? state}</p>
      </div>
      <p class="policy-line">
        <PolicyName id={id} hash={hash} />
        {entry !== undefined && <span> since {new Date(entry.since).toLocaleString('en-GB')}</span>}
      </p>
      {children}
      {file.differs && (
        <p class="policy-line policy-warning" role="status">
          The file of this replica has another policy: <PolicyName id={file.id} hash={file.hash} />
        </p>
      )}
      <Findings client={client} hash={hash} />
      <PolicyText client={client} hash={hash} />
    </section>
  );
}
