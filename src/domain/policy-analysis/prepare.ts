import type { CompiledPolicy } from '../policy/compile.ts';
import type { Budget } from './budget.ts';
import { type AnalysedRule, buildSpace, type SpaceProvider } from './build-space.ts';
import { findConstraints, isLoss } from './constraints.ts';
import type { Space } from './dimension.ts';
import { mergeValues } from './merge-values.ts';
import { ANY_RESULT, toRuleTable } from './rule-table.ts';
import { fillTable, type Table } from './table.ts';

/** A rule with what it comes to. */
export interface TabledRule extends AnalysedRule {
  readonly table: Table;
}

/** Some policies, ready for questions: what their rules come to with all evidence that they can tell apart. */
export interface Prepared {
  readonly rules: readonly TabledRule[];
  readonly space: Space;
  /** What can be together. */
  readonly constraints: readonly Table[];
  /** Those of them that hold of evidence that was lost, too. */
  readonly laws: readonly Table[];
  /** Of each dimension that can be lost, 1 for a value that is a loss. */
  readonly losses: readonly Table[];
  /** How many combinations of values the tables have before any are merged. */
  readonly combinations: number;
  /** What is over-approximated, in words. */
  readonly limits: readonly string[];
  /** False where the steps did not suffice for the table of each rule. */
  readonly isWhole: boolean;
}

/** Of a rule that may come to anything. */
const UNTOLD: Table = { scope: [], sizes: [], codes: Uint8Array.of(ANY_RESULT) };

const WHY_UNTOLD = { wide: 'it reads too much at once', long: 'it takes too long to try' } as const;

/**
 * Prepares policies, and conditions beside their rules, for questions about all of them together. Tables cost
 * steps. With `facts: 'read'` fields of facts have dimensions only where one of these rules reads them, though
 * another rule of the policies may: less is then known to be impossible.
 */
export function prepare(
  policies: readonly CompiledPolicy[],
  others: readonly AnalysedRule[],
  providers: readonly SpaceProvider[],
  budget: Budget,
  facts: 'all' | 'read' = 'all',
): Prepared {
  const rules = [
    ...policies.flatMap((one, policy) => one.rules.map((rule): AnalysedRule => ({ policy, rule }))),
    ...others,
  ];
  const told = facts === 'all' ? policies : policies.map((one) => ({ ...one, facts: [] }));
  const space = buildSpace(rules, told, providers);
  const limits = [...space.limits];
  let isWhole = true;
  // The questions are left as much as the tables may take.
  const leastSteps = budget.steps / 2;
  const tables = rules.map((one): Table => {
    const table = toRuleTable(one, policies, space, budget, leastSteps);
    if (typeof table === 'object') return table;
    isWhole &&= table !== 'long';
    limits.push(`rule ${one.rule.source.id}: ${WHY_UNTOLD[table]}, and is taken to come to anything`);
    return UNTOLD;
  });
  const constraints = findConstraints(space);
  const losses = space.dimensions.map((dimension, place): Table => {
    const sizes = [dimension.values.length];
    const codes = fillTable([place], sizes, (one) =>
      Number(isLoss(dimension, dimension.values[one.get(place) ?? 0], space)),
    );
    return { scope: [place], sizes, codes };
  });
  const all = [...tables, ...constraints, ...losses];
  for (const { codes, scope } of all) budget.steps -= codes.length * scope.length;
  const merged = mergeValues(space, all);
  const ofConstraints = merged.tables.slice(tables.length, tables.length + constraints.length);
  return {
    rules: rules.map((rule, place) => ({ ...rule, table: merged.tables[place] ?? UNTOLD })),
    space: merged.space,
    constraints: ofConstraints,
    laws: ofConstraints.filter((_, place) => constraints[place]?.isFormal === false),
    losses: merged.tables.slice(tables.length + constraints.length),
    isWhole,
    combinations: space.dimensions.reduce((product, { values }) => product * values.length, 1),
    limits,
  };
}

/** What of these constraints is about the evidence that the tables read, directly or through others. */
export function constraintsOn(tables: readonly Table[], constraints: readonly Table[]): readonly Table[] {
  const reached = new Set(tables.flatMap(({ scope }) => scope));
  const chosen = new Set<Table>();
  let before = -1;
  while (chosen.size > before) {
    before = chosen.size;
    for (const table of constraints) {
      if (chosen.has(table) || !table.scope.some((place) => reached.has(place))) continue;
      chosen.add(table);
      for (const place of table.scope) reached.add(place);
    }
  }
  return [...chosen];
}
