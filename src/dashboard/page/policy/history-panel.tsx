import type { ApiClient } from '../api-client.ts';
import { tellCause } from '../policy-markers.ts';
import type { PolicyHistory } from '../wire-policies.ts';
import { Act } from './act.tsx';
import { PolicyName } from './policy-name.tsx';
import { PolicyDifference } from './policy-text.tsx';

interface HistoryProperties {
  readonly client: ApiClient;
  /** What who is signed in may do. */
  readonly scopes: readonly string[];
  readonly history: PolicyHistory;
  /** The hash of the policy in force. */
  readonly inForce: string;
}

/** The policies that were in force, the latest first, each with what it changed. */
export function HistoryPanel({ client, scopes, history, inForce }: HistoryProperties) {
  return (
    <section class="panel" aria-labelledby="history-title">
      <div class="panel-head">
        <h2 id="history-title">History</h2>
        <p class="panel-note">
          {history.kept_in === 'redis' ? 'of all replicas' : 'of this replica since its start'}
        </p>
      </div>
      <ol class="policy-history">
        {history.policies.map((entry) => (
          <li key={`${entry.since} ${entry.hash}`}>
            <p class="policy-line">
              <time dateTime={entry.since}>{new Date(entry.since).toLocaleString('en-GB')}</time>{' '}
              <PolicyName id={entry.id} hash={entry.hash} /> {tellCause(entry)}
              {entry.hash === inForce && ', in force'}
              {scopes.includes('admin') && entry.hash !== inForce && (
                <Act
                  name="Restore"
                  question="Put it in force on all replicas again?"
                  isDisabled={false}
                  run={() => client.open(`v1/policies/history/${entry.hash}/restore`, {}, { method: 'POST' })}
                />
              )}
            </p>
            {entry.previous_hash !== null && (
              <PolicyDifference client={client} hash={entry.hash} from={entry.previous_hash} />
            )}
          </li>
        ))}
      </ol>
      {history.policies.length === 0 && <p class="state state-small">Nothing is remembered yet.</p>}
    </section>
  );
}
