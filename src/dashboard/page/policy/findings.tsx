import type { ApiClient } from '../api-client.ts';
import { toWords } from '../format.ts';
import { useAnswer } from '../use-answer.ts';
import type { PolicyAnalysis } from '../wire-policies.ts';

const EVERY_MS = 5_000;

/** What an analysis of the policy has found, the gravest first. */
export function Findings({ client, hash }: { readonly client: ApiClient; readonly hash: string }) {
  const reading = useAnswer<PolicyAnalysis>(client, `v1/policies/${hash}/analysis`, {}, EVERY_MS).value;
  if (reading.kind === 'unknown') return null;
  if (reading.kind === 'failed') return <p class="policy-line">The policy is not analyzed: {reading.why}</p>;
  if (reading.kind === 'loading' || reading.answer.state === 'running')
    return (
      <p class="policy-line" role="status">
        Analyzing the policy…
      </p>
    );
  const { state, findings, limits, complete } = reading.answer;
  if (state === 'failed') return <p class="policy-line">The policy could not be analyzed in time.</p>;
  const grave = findings.filter(({ severity }) => severity !== 'note').length;
  return (
    <details class="policy-part" open={grave > 0 && findings.length <= OPEN_MAX}>
      <summary>
        Analysis: {findings.length === 0 ? 'nothing found' : `${findings.length} findings`}
        {!complete && ', and a bound was reached'}
      </summary>
      <ul class="findings">
        {SEVERITIES.flatMap((severity) =>
          findings
            .filter((finding) => finding.severity === severity)
            .map(({ kind, message, proven }) => (
              <li key={`${kind} ${message}`}>
                <span class={`severity severity-${severity}`}>{severity}</span> {toWords(kind)}: {message}
                {!proven && ' (may be: no evidence could be given that shows it)'}
              </li>
            )),
        )}
        {limits.map((limit) => (
          <li key={limit}>
            <span class="severity">not told apart</span> {limit}
          </li>
        ))}
      </ul>
    </details>
  );
}

const SEVERITIES = ['error', 'warning', 'note'] as const;
/** With more the page would begin with them. */
const OPEN_MAX = 8;
