import { formatAge, toWords } from './format.ts';
import { VerdictBadge } from './icons.tsx';
import type { DecisionDetail, Reason, RuleOutcome } from './wire.ts';

const MARKS: Readonly<Record<RuleOutcome['result'], string>> = {
  true: 'true',
  unknown: 'unknown',
  inert: 'not asked',
  false: 'false',
};

/** Why: the rules that spoke with their text, then those that did not. */
export function DecisionRules({ decision }: { readonly decision: DecisionDetail }) {
  const { rules, reasons, policy_known: isKnown, decision: made } = decision;
  const stepUpOf = (id: string) => reasons.find(({ rule }) => rule === id)?.step_up;
  const spoke = rules.filter(({ result }) => result === 'true' || result === 'unknown');
  const silent = rules.filter((rule) => !spoke.includes(rule));
  return (
    <section>
      <h3>Why</h3>
      {!isKnown && (
        <p class="hint">
          The policy of this decision is not known here any more; its rules are named without their text.
        </p>
      )}
      {spoke.length === 0 && (
        <p class="no-rule">
          No rule spoke, so the policy’s own last word applies: <VerdictBadge verdict={made} />
        </p>
      )}
      <ul class="rules">
        {spoke.map((rule) => (
          <Rule key={rule.rule} rule={rule} stepUp={stepUpOf(rule.rule)} />
        ))}
      </ul>
      {silent.length > 0 && (
        <details>
          <summary>{silent.length === 1 ? '1 rule' : `${silent.length} rules`} that did not apply</summary>
          <ul class="rules">
            {silent.map((rule) => (
              <Rule key={rule.rule} rule={rule} />
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Rule({
  rule: { rule, result, why, on_unknown: onUnknown, condition, parameters, description, verdict, reason },
  stepUp,
}: {
  readonly rule: RuleOutcome;
  readonly stepUp?: Reason['step_up'] | undefined;
}) {
  return (
    <li class={`rule rule-${result}`}>
      <p class="rule-head">
        <span class="rule-result">{MARKS[result]}</span>
        <b>{rule}</b>
        {reason !== null && <span class="code">{reason}</span>}
        <span class="rule-effect">
          {result === 'true' && verdict !== null && <>makes it {verdict}</>}
          {result === 'unknown' && onUnknown !== undefined && <>unknown counts as {onUnknown}</>}
        </span>
      </p>
      {description !== null && <p>{description}</p>}
      {stepUp !== undefined && (
        <p class="rule-satisfied">
          Satisfied by a challenge that was passed {formatAge(stepUp.age_seconds * 1000)} before
          {stepUp.method !== null && <> ({stepUp.method})</>}
          {stepUp.acr !== null && <>, which achieved {stepUp.acr}</>}: it counts for nothing.
        </p>
      )}
      {why !== undefined && <p class="rule-why">Because of: {toWords(why)}</p>}
      {condition !== null && <pre class="condition">{condition.trim()}</pre>}
      {parameters.map(({ name, value }) => (
        <p key={name} class="hint">
          <code>params.{name}</code> is <code>{value}</code>
        </p>
      ))}
    </li>
  );
}
