import type { PolicyMistake, PolicyRule } from './document.ts';
import type { Inspection } from './inspect-condition.ts';

/** Adds a mistake for each field of a rule that contradicts another, or its condition. */
export function refuseContradictions(
  { verdict, exempt, observe }: PolicyRule,
  index: number,
  { outcomeReads }: Pick<Inspection, 'outcomeReads'>,
  mistakes: PolicyMistake[],
): void {
  const refuse = (field: keyof PolicyRule, message: string): void => {
    mistakes.push({ path: ['rules', index, field], isKey: false, offset: null, message });
  };
  if (exempt && verdict !== 'ALLOW')
    refuse('verdict', 'an exempt rule ends with ALLOW, so its verdict is ALLOW');
  if (observe && (verdict !== 'ALLOW' || exempt))
    refuse('observe', 'such a rule changes no verdict: its verdict is ALLOW, and it exempts nothing');
  // An outage or a suspicion could make such a rule true, and so turn a stricter verdict into ALLOW.
  if (verdict === 'ALLOW' && !observe && outcomeReads.size > 0)
    refuse(
      'when',
      'a rule with the verdict ALLOW must not depend on the outcome of a provider, or on whether it is suspect',
    );
}
