import type { Budget } from './budget.ts';
import { type Combined, combine, type WeighedTable } from './combine.ts';
import { contributionOf, permit, weigh } from './contribution.ts';
import type { ProviderValue } from './dimension.ts';
import type { Prepared } from './prepare.ts';
import { ANY_RESULT, RESULT } from './rule-table.ts';
import { createSummaries } from './summaries.ts';
import { fillTable, type Table } from './table.ts';

/** More than one, where a summary names one. */
const SEVERAL = -2;
const NOBODY = -1;

/** What a decision comes to, and what it lacks. */
export interface Lacking {
  readonly level: number;
  readonly isExempted: boolean;
  /** The dimension whose value is lost. */
  readonly lost: number;
  /** The rule that is passed over for it. */
  readonly waived: number;
}

/** What the only policy can come to while evidence is lost. Null where the budget does not suffice. */
export function findLacking(prepared: Prepared, budget: Budget): Combined<Lacking> | null {
  const none: Lacking = { level: 0, isExempted: false, lost: NOBODY, waived: NOBODY };
  const summaries = createSummaries(none, (left, right) => ({
    level: Math.max(left.level, right.level),
    isExempted: left.isExempted || right.isExempted,
    lost: oneOf(left.lost, right.lost),
    waived: oneOf(left.waived, right.waived),
  }));
  const tables = prepared.rules.map(({ rule, table }, place) =>
    weigh(table, summaries, (code): Lacking => {
      const { isExempting, level, isWaived } = contributionOf(rule, code);
      return { ...none, level, isExempted: isExempting, waived: isWaived ? place : NOBODY };
    }),
  );
  const losses = prepared.losses.map((table): WeighedTable => {
    const [lost = NOBODY] = table.scope;
    return { ...table, summaries: [[summaries.none], [summaries.numberOf({ ...none, lost })]] };
  });
  const permits = prepared.constraints.map((table) => permit(table, summaries));
  return combine([...tables, ...losses, ...permits], prepared.space, summaries, budget);
}

function oneOf(left: number, right: number): number {
  return left === NOBODY ? right : right === NOBODY || left === right ? left : SEVERAL;
}

/** What a decision comes to with one value of a dimension, and with another. */
export interface BeforeAfter {
  readonly level: number;
  readonly isExempted: boolean;
  readonly levelAfter: number;
  readonly isExemptedAfter: boolean;
}

/** What it does that a dimension has this value instead of another. Null where the budget does not suffice. */
export function findChange(
  prepared: Prepared,
  place: number,
  value: number,
  budget: Budget,
): Combined<BeforeAfter> | null {
  const none: BeforeAfter = { level: 0, isExempted: false, levelAfter: 0, isExemptedAfter: false };
  const summaries = createSummaries(none, (left, right) => ({
    level: Math.max(left.level, right.level),
    isExempted: left.isExempted || right.isExempted,
    levelAfter: Math.max(left.levelAfter, right.levelAfter),
    isExemptedAfter: left.isExemptedAfter || right.isExemptedAfter,
  }));
  const tables = prepared.rules.map(({ rule, table }): WeighedTable => {
    const twice = withOther(table, place, value);
    const of = (before: number, after: number) => {
      const [was, is] = [contributionOf(rule, before), contributionOf(rule, after)];
      return summaries.numberOf({
        level: was.level,
        isExempted: was.isExempting,
        levelAfter: is.level,
        isExemptedAfter: is.isExempting,
      });
    };
    return {
      ...twice,
      summaries: Array.from({ length: (ANY_RESULT + 1) ** 2 }, (_, code) => [
        ...new Set(
          resultsOf(Math.floor(code / (ANY_RESULT + 1))).flatMap((before) =>
            resultsOf(code % (ANY_RESULT + 1)).map((after) => of(before, after)),
          ),
        ),
      ]),
    };
  });
  const { sizes, scope } = prepared.losses[place] ?? { sizes: [], scope: [] };
  const isOther: Table = {
    scope,
    sizes,
    codes: fillTable(scope, sizes, (one) => Number(one.get(place) !== value)),
  };
  const permits = [isOther, ...prepared.constraints].map((table) => permit(table, summaries));
  const after = prepared.laws.map((table) => {
    const twice = withOther(table, place, value);
    return permit(
      { ...twice, codes: twice.codes.map((code) => Number(code % (ANY_RESULT + 1) === 1)) },
      summaries,
    );
  });
  return combine([...tables, ...permits, ...after], prepared.space, summaries, budget);
}

/** The place of the value that stands for evidence that is lost. */
export function findLost({ space, losses }: Prepared, place: number): number {
  const isLost = losses[place]?.codes ?? new Uint8Array();
  const values = space.dimensions[place]?.values ?? [];
  // Suspicion is no part of the loss.
  return values.findIndex((value, at) => isLost[at] === 1 && (value as ProviderValue).suspect !== true);
}

function resultsOf(code: number): readonly number[] {
  return code === ANY_RESULT ? [RESULT.false, RESULT.true, RESULT.unknown] : [code];
}

/** The table with a second code in each, the one of the same cell with another value of `place`. */
function withOther({ scope, sizes, codes }: Table, place: number, other: number): Table {
  const strides = sizes.map((_, at) => sizes.slice(at + 1).reduce((product, size) => product * size, 1));
  return {
    scope,
    sizes,
    codes: fillTable(scope, sizes, (assignment) => {
      let [before, after] = [0, 0];
      scope.forEach((one, at) => {
        const value = assignment.get(one) ?? 0;
        before += value * (strides[at] ?? 0);
        after += (one === place ? other : value) * (strides[at] ?? 0);
      });
      return (codes[before] ?? 0) * (ANY_RESULT + 1) + (codes[after] ?? 0);
    }),
  };
}
