import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';
import { strictnessOf, VERDICTS, type Verdict } from '../verdict.ts';
import type { WeighedTable } from './combine.ts';
import { ANY_RESULT, RESULT } from './rule-table.ts';
import type { Summaries } from './summaries.ts';
import type { Table } from './table.ts';

/** What one rule adds to a judgement. */
interface Contribution {
  /** True where it ends the evaluation with ALLOW. */
  readonly isExempting: boolean;
  /** 0 for nothing, else one more than the strictness of a verdict. */
  readonly level: number;
  /** True where it is unknown, and passed over. */
  readonly isWaived: boolean;
}

const NOTHING: Contribution = { isExempting: false, level: 0, isWaived: false };

/** What a rule with this result in a table adds. */
export function contributionOf({ source }: CompiledRule, code: number): Contribution {
  const { verdict, on_unknown: onUnknown, exempt, observe } = source;
  if (code === RESULT.false || observe) return NOTHING;
  if (code === RESULT.true)
    return exempt ? { ...NOTHING, isExempting: true } : { ...NOTHING, level: strictnessOf(verdict) + 1 };
  if (onUnknown === 'IGNORE') return { ...NOTHING, isWaived: true };
  return { ...NOTHING, level: strictnessOf(onUnknown) + 1 };
}

/** The verdict of the strictest contribution. */
export function verdictOf({ document }: CompiledPolicy, level: number, isExempted: boolean): Verdict {
  if (isExempted) return 'ALLOW';
  return VERDICTS[level - 1] ?? document.otherwise;
}

/** The table with what each of its codes stands for; a rule that may come to anything stands for all. */
export function weigh<Summary>(
  table: Table,
  summaries: Summaries<Summary>,
  summaryOf: (code: number) => Summary,
): WeighedTable {
  const numbers = [RESULT.false, RESULT.true, RESULT.unknown].map((code) =>
    summaries.numberOf(summaryOf(code)),
  );
  const of = Array.from({ length: ANY_RESULT }, (_, code) => numbers.slice(code, code + 1));
  return { ...table, summaries: [...of, [...new Set(numbers)]] };
}

/** A table of what can be together, for questions about these summaries. */
export function permit<Summary>(table: Table, { none }: Summaries<Summary>): WeighedTable {
  return { ...table, summaries: [[], [none]] };
}
