import type { CompiledPolicy } from '../policy/compile.ts';
import { strictnessOf, type Verdict } from '../verdict.ts';
import type { Budget } from './budget.ts';
import type { Reached } from './combine.ts';
import { verdictOf } from './contribution.ts';
import { ANYTHING } from './dimension.ts';
import { findCheapestBypass } from './find-cheapest-bypass.ts';
import { type Finding, showWith, toFinding } from './finding.ts';
import { type BeforeAfter, findChange } from './loss-questions.ts';
import type { Prepared } from './prepare.ts';

/** That an answer is milder with one value of a dimension than with another, all else the same. */
interface MilderChange {
  readonly was: Verdict;
  readonly is: Verdict;
  /** Evidence with the value, and with another. */
  readonly shown: Pick<Finding, 'witness' | 'before' | 'isUnproven'>;
}

/** How this value of a dimension, instead of others, makes answers milder. Null beyond the budget. */
export function findMilderChanges(
  prepared: Prepared,
  policy: CompiledPolicy,
  place: number,
  value: number,
  budget: Budget,
): readonly MilderChange[] | null {
  const found = findChange(prepared, place, value, budget);
  if (found === null) return null;
  const groups = Map.groupBy(found.reached, ({ summary }) => verdictsOf(policy, summary).join(' '));
  return [...groups].flatMap(([change, group]) => {
    const [was, is] = change.split(' ') as [Verdict, Verdict];
    if (strictnessOf(is) >= strictnessOf(was)) return [];
    return [{ was, is, shown: show(prepared, policy, [place, value], group) }];
  });
}

/**
 * Signals of the request or of the client of which one alone, given otherwise, makes an ALLOW of a stricter answer:
 * whoever sends it chooses the answer. For verdicts that no single signal of the client undoes, the fewest that do.
 */
export function findBypasses(prepared: Prepared, policy: CompiledPolicy, budget: Budget): readonly Finding[] {
  const open = new Set<Verdict>(['CHALLENGE', 'BLOCK']);
  const single = prepared.space.dimensions.flatMap(({ source, name, values, isClient }, place) => {
    if (source !== 'request' && !isClient) return [];
    const changes = values.map((value, at) =>
      value === ANYTHING ? [] : findMilderChanges(prepared, policy, place, at, budget),
    );
    if (changes.includes(null))
      return [toFinding('not_answered', `what ${name} alone decides: there is too much to combine`)];
    const toAllow = changes.flatMap((some) => some ?? []).filter(({ is }) => is === 'ALLOW');
    return [...Map.groupBy(toAllow, ({ was }) => was)].map(([was, some]) => {
      const { shown } = some.find((one) => one.shown.isUnproven !== true) ?? { shown: { isUnproven: true } };
      if (isClient && shown.isUnproven !== true) open.delete(was);
      return toFinding('bypass', `who chooses ${name} alone can make ALLOW of ${was}`, shown);
    });
  });
  return [...single, ...findCheapestBypass(prepared, policy, [...open], budget)];
}

function verdictsOf(policy: CompiledPolicy, summary: BeforeAfter): readonly [Verdict, Verdict] {
  return [
    verdictOf(policy, summary.level, summary.isExempted),
    verdictOf(policy, summary.levelAfter, summary.isExemptedAfter),
  ];
}

function show(
  { space }: Prepared,
  policy: CompiledPolicy,
  [place, value]: readonly [number, number],
  group: readonly Reached<BeforeAfter>[],
): MilderChange['shown'] {
  for (const { assignment, summary } of group) {
    const [was, is] = verdictsOf(policy, summary);
    const before = showWith(policy, space, assignment, ({ verdict }) => verdict === was);
    const after = new Map([...assignment, [place, value]]);
    const witness = showWith(policy, space, after, ({ verdict }) => verdict === is);
    if (before !== null && witness !== null) return { witness, before };
  }
  return { isUnproven: true };
}
