import type { ApiClient } from '../api-client.ts';
import { useAnswer } from '../use-answer.ts';
import { address } from '../view-state.ts';
import { toWindowQuery } from '../window-query.ts';
import type { Stats } from '../wire.ts';
import type { Policies } from '../wire-policies.ts';
import { Checks } from './checks.tsx';
import { Findings } from './findings.tsx';
import { PolicyName } from './policy-name.tsx';
import { PolicyDifference } from './policy-text.tsx';
import { TransitionTable } from './transition-table.tsx';

interface CandidateProperties {
  readonly client: ApiClient;
  /** What who is signed in may do. */
  readonly scopes: readonly string[];
  readonly candidate: Policies['candidates'][number];
  readonly inForce: Policies['in_force'];
}

const EVERY_MS = 15_000;

/** A policy that judges beside the one in force: what it would change, what it has shown, and putting it in force. */
export function CandidatePanel({ client, scopes, candidate, inForce }: CandidateProperties) {
  const { id, hash, from, added_by: by, not_asked_for: notAsked } = candidate;
  const query = { ...toWindowQuery(address.value), group_by: 'transition' };
  const stats = useAnswer<Stats>(client, 'v1/stats', query, EVERY_MS).value;
  return (
    <section class="panel" aria-label={`Candidate ${id}`}>
      <div class="panel-head">
        <h2>
          Candidate <PolicyName id={id} hash={hash} />
        </h2>
        <p class="panel-note">{from === 'file' ? 'from a file' : `registered by ${by ?? 'nobody known'}`}</p>
      </div>
      {notAsked.length > 0 && (
        <p class="policy-line policy-warning">
          It reads what the policy in force does not ask for: {notAsked.join(', ')}
        </p>
      )}
      <TransitionTable hash={hash} reading={stats} />
      {scopes.includes('review') && (
        <Checks client={client} id={id} hash={hash} mayPromote={scopes.includes('admin')} />
      )}
      <Findings client={client} hash={hash} />
      <PolicyDifference client={client} hash={hash} from={inForce.hash} />
    </section>
  );
}
