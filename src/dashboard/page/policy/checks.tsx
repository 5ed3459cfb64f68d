import type { ApiClient } from '../api-client.ts';
import { toWords } from '../format.ts';
import { NotThere } from '../not-there.tsx';
import { useAnswer } from '../use-answer.ts';
import type { Promotion } from '../wire-policies.ts';
import { Act } from './act.tsx';

interface ChecksProperties {
  readonly client: ApiClient;
  readonly id: string;
  readonly hash: string;
  readonly mayPromote: boolean;
}

const EVERY_MS = 15_000;

/** What a promotion asks of a candidate, and the promotion itself for who may. */
export function Checks({ client, id, hash, mayPromote }: ChecksProperties) {
  const path = `v1/policies/${id}/promotion`;
  const reading = useAnswer<Promotion>(client, path, { hash }, EVERY_MS).value;
  // The candidate has gone meanwhile.
  if (reading.kind === 'unknown') return null;
  if (reading.kind !== 'ready') return <NotThere what="the checks" reading={reading} />;
  const { passed, checks } = reading.answer;
  const promote = (share: number) => () =>
    client.open(`v1/policies/${id}/promote`, {}, { method: 'POST', body: { hash, share } });
  return (
    <div class="checks">
      <ul class="findings">
        {checks.map((check) => (
          <li key={check.id}>
            <span class={`severity severity-${check.passed ? 'good' : 'error'}`}>
              {check.passed ? 'passed' : 'not passed'}
            </span>{' '}
            {toWords(check.id)}: {check.detail}
          </li>
        ))}
      </ul>
      {mayPromote && (
        <p class="acts">
          <Act
            name="Promote"
            question="Put it in force on all replicas?"
            isDisabled={!passed}
            run={promote(1)}
          />
          <Act
            name="Promote to 10% of accounts"
            question="Let it answer a tenth of accounts?"
            isDisabled={!passed}
            run={promote(0.1)}
          />
          {!passed && <span class="panel-note">It can be promoted once every check is passed.</span>}
        </p>
      )}
    </div>
  );
}
