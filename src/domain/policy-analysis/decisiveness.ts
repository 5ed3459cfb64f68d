import type { CompiledPolicy } from '../policy/compile.ts';
import type { Budget } from './budget.ts';
import { type Combined, combine } from './combine.ts';
import { contributionOf, permit, verdictOf, weigh } from './contribution.ts';
import type { Prepared } from './prepare.ts';
import { createSummaries } from './summaries.ts';

/** More than one rule, where a summary names one. */
const SEVERAL = -2;
/** None. */
const NOBODY = -1;

/** Who decides: the rules are named by their places. */
interface Decisive {
  /** The exempt rule that is true. */
  readonly exempt: number;
  /** The strictest contribution, and the rule that makes it. */
  readonly level: number;
  readonly by: number;
  /** The strictest contribution of the others. */
  readonly next: number;
}

const NONE: Decisive = { exempt: NOBODY, level: 0, by: NOBODY, next: 0 };

/** Who can decide by the only policy, and whether alone. Null where the budget does not suffice. */
export function findDecisive(prepared: Prepared, budget: Budget): Combined<Decisive> | null {
  const summaries = createSummaries(NONE, merge);
  const tables = prepared.rules.map(({ rule, table }, place) =>
    weigh(table, summaries, (code): Decisive => {
      const { isExempting, level } = contributionOf(rule, code);
      if (isExempting) return { ...NONE, exempt: place };
      return level === 0 ? NONE : { ...NONE, level, by: place };
    }),
  );
  const permits = prepared.constraints.map((table) => permit(table, summaries));
  return combine([...tables, ...permits], prepared.space, summaries, budget);
}

function merge(left: Decisive, right: Decisive): Decisive {
  const exempt = left.exempt === NOBODY ? right.exempt : right.exempt === NOBODY ? left.exempt : SEVERAL;
  const [top, other] = left.level >= right.level ? [left, right] : [right, left];
  if (other.level === top.level && top.level > 0)
    return { exempt, level: top.level, by: SEVERAL, next: top.level };
  return { exempt, level: top.level, by: top.by, next: Math.max(top.next, other.level) };
}

/** The place of the rule without which the verdict would be another; null where there is none. */
export function decidedBy(policy: CompiledPolicy, { exempt, level, by, next }: Decisive): number | null {
  if (exempt !== NOBODY) return exempt >= 0 && verdictOf(policy, level, false) !== 'ALLOW' ? exempt : null;
  return by >= 0 && verdictOf(policy, level, false) !== verdictOf(policy, next, false) ? by : null;
}
