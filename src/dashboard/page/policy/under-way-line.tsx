import type { ApiClient } from '../api-client.ts';
import { formatShare } from '../format.ts';
import type { Policies, UnderWay } from '../wire-policies.ts';
import { Act } from './act.tsx';
import { PolicyName } from './policy-name.tsx';

interface UnderWayProperties {
  readonly client: ApiClient;
  readonly promotion: UnderWay;
  readonly inForce: Policies['in_force'];
  readonly mayTakeBack: boolean;
}

/** The promotion under way: a candidate that answers a share of accounts, or a policy in force that is watched. */
export function UnderWayLine({ client, promotion, inForce, mayTakeBack }: UnderWayProperties) {
  const { stage, other, share, began_at: since, watched_until: until } = promotion;
  const isShare = stage === 'share';
  // The policy that was promoted gives the promotion its address.
  const path = `v1/policies/${(isShare ? other : inForce).id}/promotion`;
  return (
    <>
      <p class="policy-line" role="status">
        {isShare ? (
          <>
            The candidate <PolicyName {...other} /> answers {formatShare(share)} of accounts since{' '}
            {toTime(since)}
          </>
        ) : (
          <>
            It is watched since {toTime(since)}
            {until !== null && ` and until ${toTime(until)}`}; before it was <PolicyName {...other} />
          </>
        )}
      </p>
      {mayTakeBack && (
        <p class="acts">
          <Act
            name="Take back"
            question={
              isShare
                ? 'Let the policy in force answer all accounts again?'
                : `Put ${other.id} in force on all replicas again?`
            }
            isDisabled={false}
            run={() => client.open(path, {}, { method: 'DELETE' })}
          />
        </p>
      )}
    </>
  );
}

function toTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB');
}
