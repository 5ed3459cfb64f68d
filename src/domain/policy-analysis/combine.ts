import type { Budget } from './budget.ts';
import type { Space } from './dimension.ts';
import type { Summaries } from './summaries.ts';
import type { Table } from './table.ts';
import type { Assignment } from './to-witness.ts';

/** What the tables of a question come to: for each code, the numbers of the summaries that it may stand for. */
export interface WeighedTable extends Table {
  /** No summary: it cannot be. Several: it is not known which. */
  readonly summaries: readonly (readonly number[])[];
}

/** Some ten seconds of one core. */
export const ANALYSIS_STEPS_MAX = 60_000_000;

/** One summary that evidence can come to. */
export interface Reached<Summary> {
  readonly summary: Summary;
  /** How many combinations of values come to it. */
  readonly count: number;
  /** Some evidence that does. */
  readonly assignment: Assignment;
  /** True where it may be that none does. */
  readonly isGuess: boolean;
}

/** Everything that the evidence of a space can come to. */
export interface Combined<Summary> {
  readonly reached: readonly Reached<Summary>[];
  /** False where parts had to be looked at by themselves, so that more is reached than can be. */
  readonly isExact: boolean;
}

interface Entry {
  readonly key: number;
  readonly count: number;
  readonly isGuess: boolean;
  readonly trail: Trail | null;
}

/** A value of a dimension, and what was chosen before. */
interface Trail {
  readonly place: number;
  readonly value: number;
  readonly parts: readonly Trail[];
}

interface Factor {
  readonly scope: readonly number[];
  readonly sizes: readonly number[];
  readonly cells: readonly (readonly Entry[])[];
}

/** The most cells that are combined in one step: beyond it, tables are taken apart. */
const CELLS_MAX = 400_000;

/**
 * All summaries that the tables come to together: dimensions are taken out one by one, and of each only what
 * the others can tell apart is kept. Null where the budget does not suffice.
 */
export function combine<Summary>(
  tables: readonly WeighedTable[],
  { dimensions }: Space,
  summaries: Summaries<Summary>,
  budget: Budget,
): Combined<Summary> | null {
  const sizeOf = (place: number) => dimensions[place]?.values.length ?? 1;
  let factors = tables.map(toFactor);
  let isExact = true;
  for (;;) {
    const place = findCheapest(factors, sizeOf);
    if (place === null) break;
    const touched = factors.filter(({ scope }) => scope.includes(place));
    const groups = toGroups(touched, sizeOf);
    if (groups.length > 1) isExact = false;
    factors = factors.filter(({ scope }) => !scope.includes(place));
    for (const group of groups) {
      const factor = takeOut(place, group, sizeOf, summaries, budget);
      if (factor === null) return null;
      factors.push(factor);
    }
  }
  const last = takeOut(-1, factors, () => 1, summaries, budget);
  if (last === null) return null;
  const reached = (last.cells[0] ?? []).map(({ key, count, isGuess, trail }) => ({
    summary: summaries.summaryOf(key),
    count,
    isGuess: isGuess || !isExact,
    assignment: toAssignment(trail),
  }));
  return { reached, isExact };
}

function toFactor({ scope, sizes, codes, summaries }: WeighedTable): Factor {
  const entries = summaries.map((keys): readonly Entry[] =>
    keys.map((key) => ({ key, count: 1, isGuess: keys.length > 1, trail: null })),
  );
  return { scope, sizes, cells: Array.from(codes, (code) => entries[code] ?? []) };
}

/** The dimension that takes the fewest cells to take out; null where none is left. */
function findCheapest(factors: readonly Factor[], sizeOf: (place: number) => number): number | null {
  const joint = new Map<number, Set<number>>();
  for (const { scope } of factors)
    for (const place of scope) {
      const others = joint.get(place) ?? new Set();
      for (const other of scope) others.add(other);
      joint.set(place, others);
    }
  let cheapest: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [place, others] of joint) {
    const cells = productOf([...others], sizeOf);
    if (cells < least) [cheapest, least] = [place, cells];
  }
  return cheapest;
}

/** Factors that are combined together, each group small enough. */
function toGroups(factors: readonly Factor[], sizeOf: (place: number) => number): readonly Factor[][] {
  const groups: { scope: Set<number>; members: Factor[] }[] = [];
  for (const factor of factors.toSorted((left, right) => right.cells.length - left.cells.length)) {
    const group = groups.find(
      ({ scope }) => productOf([...new Set([...scope, ...factor.scope])], sizeOf) <= CELLS_MAX,
    );
    if (group === undefined) groups.push({ scope: new Set(factor.scope), members: [factor] });
    else {
      group.members.push(factor);
      for (const place of factor.scope) group.scope.add(place);
    }
  }
  return groups.map(({ members }) => members);
}

function productOf(scope: readonly number[], sizeOf: (place: number) => number): number {
  return scope.reduce((product, place) => product * sizeOf(place), 1);
}

/** The factors as one, over all of their dimensions but `place`; null where the budget does not suffice. */
function takeOut<Summary>(
  place: number,
  group: readonly Factor[],
  sizeOf: (place: number) => number,
  summaries: Summaries<Summary>,
  budget: Budget,
): Factor | null {
  const scope = [...new Set(group.flatMap((factor) => factor.scope))]
    .filter((one) => one !== place)
    .toSorted((left, right) => left - right);
  const sizes = scope.map(sizeOf);
  const cells: Entry[][] = [];
  const steps = group.map((factor) => stridesOf(factor, scope, place));
  const digits = sizes.map(() => 0);
  const count = productOf(scope, sizeOf);
  for (let cell = 0; cell < count; cell += 1) {
    const sums = new Map<number, Entry>();
    for (let value = 0; value < sizeOf(place); value += 1) {
      budget.steps -= group.length;
      const parts = group.map(({ cells: own }, index) => own[indexOf(steps[index], digits, value)] ?? []);
      addProducts(parts, { place, value }, summaries, sums, budget);
    }
    if (budget.steps < 0) return null;
    cells.push([...sums.values()]);
    advance(digits, sizes);
  }
  return { scope, sizes, cells };
}

interface Strides {
  readonly of: readonly number[];
  readonly own: number;
}

function stridesOf({ scope, sizes }: Factor, outer: readonly number[], place: number): Strides {
  const strides = scope.map((_, at) => sizes.slice(at + 1).reduce((product, size) => product * size, 1));
  const strideOf = (one: number) => strides[scope.indexOf(one)] ?? 0;
  return { of: outer.map(strideOf), own: strideOf(place) };
}

function indexOf(strides: Strides | undefined, digits: readonly number[], value: number): number {
  let index = (strides?.own ?? 0) * value;
  for (let at = 0; at < digits.length; at += 1) index += (strides?.of[at] ?? 0) * (digits[at] ?? 0);
  return index;
}

function advance(digits: number[], sizes: readonly number[]): void {
  for (let at = digits.length - 1; at >= 0; at -= 1) {
    const digit = (digits[at] ?? 0) + 1;
    digits[at] = digit < (sizes[at] ?? 1) ? digit : 0;
    if (digits[at] !== 0) return;
  }
}

interface Product {
  readonly key: number;
  readonly count: number;
  readonly isGuess: boolean;
  readonly trails: readonly Trail[];
}

/** Adds every combination of one entry of each part to `sums`, by what they come to together. */
function addProducts<Summary>(
  parts: readonly (readonly Entry[])[],
  chosen: Pick<Trail, 'place' | 'value'>,
  summaries: Summaries<Summary>,
  sums: Map<number, Entry>,
  budget: Budget,
): void {
  let products: readonly Product[] = [{ key: summaries.none, count: 1, isGuess: false, trails: [] }];
  for (const part of parts) {
    const next = new Map<number, Product>();
    for (const left of products) {
      for (const right of part) {
        const key = summaries.merge(left.key, right.key);
        const isGuess = left.isGuess || right.isGuess;
        const known = next.get(key);
        const count = left.count * right.count + (known?.count ?? 0);
        const isBetter = known === undefined || (known.isGuess && !isGuess);
        const trails = right.trail === null ? left.trails : [...left.trails, right.trail];
        next.set(key, isBetter ? { key, count, isGuess, trails } : { ...known, count });
      }
    }
    budget.steps -= products.length * part.length;
    products = [...next.values()];
    if (products.length === 0) return;
  }
  for (const { key, count, isGuess, trails } of products) {
    const known = sums.get(key);
    const total = count + (known?.count ?? 0);
    const isBetter = known === undefined || (known.isGuess && !isGuess);
    sums.set(
      key,
      isBetter
        ? { key, count: total, isGuess, trail: { ...chosen, parts: trails } }
        : { ...known, count: total },
    );
  }
}

function toAssignment(trail: Trail | null): Assignment {
  const assignment = new Map<number, number>();
  const visit = ({ place, value, parts }: Trail): void => {
    // What was taken apart may have chosen twice.
    assignment.set(place, assignment.get(place) ?? value);
    for (const part of parts) visit(part);
  };
  visit(trail ?? { place: -1, value: 0, parts: [] });
  assignment.delete(-1);
  return assignment;
}
