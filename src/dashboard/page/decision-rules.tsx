import { formatAge } from './format.ts';
import { VerdictBadge } from './icons.tsx';
import { tellWhy } from './truth.ts';
import type { DecisionDetail, Reason, RuleOutcome } from './wire.ts';

const MARKS: Readonly<Record<RuleOutcome['result'] | 'waived', string>> = {
  true: 'true',
  unknown: 'unknown',
  waived: 'waived',
  inert: 'not asked',
  false: 'false',
};

/** The true rules first, then those that could not be ruled out, then those of them that were let pass. */
const ORDER = ['true', 'unknown', 'waived'];

/** Why: the rules that applied or may apply, with their text, then those that do not. */
export function DecisionRules({ decision }: { readonly decision: DecisionDetail }) {
  const { rules, reasons, waivers, policy_known: isKnown, decision: made } = decision;
  const stepUpOf = (id: string) => reasons.find(({ rule }) => rule === id)?.step_up;
  const standingOf = ({ rule, result }: RuleOutcome) =>
    result === 'unknown' && waivers.some((waiver) => waiver.rule === rule) ? 'waived' : result;
  const counted = ORDER.flatMap((standing) => rules.filter((rule) => standingOf(rule) === standing));
  const silent = rules.filter((rule) => !counted.includes(rule));
  return (
    <section>
      <h3>Why</h3>
      {!isKnown && (
        <p class="hint">
          The policy of this decision is not known here any more; its rules are named without their text.
        </p>
      )}
      {counted.length === 0 && (
        <p class="no-rule">
          No rule applied, so the policy’s own last word applies: <VerdictBadge verdict={made} />
        </p>
      )}
      <ul class="rules">
        {counted.map((rule) => (
          <Rule key={rule.rule} rule={rule} standing={standingOf(rule)} stepUp={stepUpOf(rule.rule)} />
        ))}
      </ul>
      {silent.length > 0 && (
        <details>
          <summary>{silent.length === 1 ? '1 rule' : `${silent.length} rules`} that did not apply</summary>
          <ul class="rules">
            {silent.map((rule) => (
              <Rule key={rule.rule} rule={rule} standing={rule.result} />
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Rule({
  rule: { rule, why, on_unknown: onUnknown, condition, parameters, description, verdict, reason },
  standing,
  stepUp,
}: {
  readonly rule: RuleOutcome;
  readonly standing: keyof typeof MARKS;
  readonly stepUp?: Reason['step_up'] | undefined;
}) {
  return (
    <li class={`rule rule-${standing}`}>
      <p class="rule-head">
        <span class="rule-result">{MARKS[standing]}</span>
        <b>{rule}</b>
        {reason !== null && <span class="code">{reason}</span>}
        <span class="rule-effect">
          {standing === 'true' && verdict !== null && <>makes it {verdict}</>}
          {standing === 'unknown' && onUnknown !== undefined && <>unknown counts as {onUnknown}</>}
          {standing === 'waived' && <>the policy lets it pass</>}
        </span>
      </p>
      {(standing === 'unknown' || standing === 'waived') && (
        <p class="rule-open">
          <b>Could not be ruled out</b>: {why === undefined ? 'evidence was missing' : tellWhy(why)}.
        </p>
      )}
      {description !== null && (
        <p class={standing === 'true' ? undefined : 'rule-about'}>
          {standing === 'true' ? description : <>What it looks for: {description}</>}
        </p>
      )}
      {stepUp !== undefined && (
        <p class="rule-satisfied">
          Satisfied by a challenge that was passed {formatAge(stepUp.age_seconds * 1000)} before
          {stepUp.method !== null && <> ({stepUp.method})</>}
          {stepUp.acr !== null && <>, which achieved {stepUp.acr}</>}: it counts for nothing.
        </p>
      )}
      {standing === 'inert' && why !== undefined && <p class="rule-why">Because of: {tellWhy(why)}</p>}
      {condition !== null && <pre class="condition">{condition.trim()}</pre>}
      {parameters.map(({ name, value }) => (
        <p key={name} class="hint">
          <code>params.{name}</code> is <code>{value}</code>
        </p>
      ))}
    </li>
  );
}
