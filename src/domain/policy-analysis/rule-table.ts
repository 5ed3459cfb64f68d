import type { CompiledPolicy } from '../policy/compile.ts';
import type { Budget } from './budget.ts';
import { type AnalysedRule, placeOf } from './build-space.ts';
import { ANYTHING, type Space } from './dimension.ts';
import { collectUses, type SignalUses } from './signal-uses.ts';
import { fillTable, type Table } from './table.ts';
import { isThere, toEvidence } from './to-witness.ts';
import { judgeWitness } from './witness.ts';

/** What a rule comes to, as tables have it. An inert rule contributes no more than one that is false. */
export const RESULT = { false: 0, true: 1, unknown: 2, inert: 0 } as const;
/** In a table: the rule may come to anything. */
export const ANY_RESULT = 3;
/** The most cells of one table: beyond it a rule is taken to come to anything. */
const CELLS_MAX = 60_000;

/** What a judgement takes, in steps: an error of a condition takes most of it. */
const JUDGEMENT_STEPS = 40;

/** Why a rule has no table. */
type Untold = 'wide' | 'long';

/**
 * The table of a rule, filled by the engine. `wide` where it would be too large, `long` where fewer steps than
 * `leastSteps` would be left.
 */
export function toRuleTable(
  { rule, policy: of }: AnalysedRule,
  policies: readonly CompiledPolicy[],
  space: Space,
  budget: Budget,
  leastSteps: number,
): Table | Untold {
  const read = findRead(rule, space);
  const policy = policies[of];
  if (read === null || policy === undefined) return 'wide';
  const { scope, tested } = read;
  const sizes = scope.map((place) => space.dimensions[place]?.values.length ?? 1);
  const cells = sizes.reduce((product, size) => product * size, 1);
  if (cells > CELLS_MAX) return 'wide';
  if (budget.steps - cells < leastSteps) return 'long';
  budget.steps -= cells;
  const alone: CompiledPolicy = { ...policy, rules: [rule] };
  const known = new Map<string, number>();
  const codes = fillTable(scope, sizes, (assignment) => {
    const valueAt = (place: number) => space.dimensions[place]?.values[assignment.get(place) ?? 0];
    // What a source without signals would say changes nothing.
    const live = scope.filter((place) => {
      const dimension = space.dimensions[place];
      return dimension !== undefined && isThere(dimension, space, valueAt);
    });
    const open = live.filter((place) => valueAt(place) === ANYTHING);
    if (open.some((place) => tested.has(place))) return ANY_RESULT;
    const key = live.map((place) => `${place}:${assignment.get(place)}`).join();
    let code = known.get(key);
    if (code === undefined) {
      budget.steps -= JUDGEMENT_STEPS;
      if (budget.steps < leastSteps) return ANY_RESULT;
      const [line] = judgeWitness(alone, toEvidence(space, assignment, live)).trace;
      code = RESULT[line?.result ?? 'unknown'];
      known.set(key, code);
    }
    // What does not depend on a value that cannot be read does not depend on the value.
    return open.length > 0 && code === RESULT.unknown ? ANY_RESULT : code;
  });
  return budget.steps < leastSteps ? 'long' : { scope, sizes, codes };
}

/** What a rule reads. */
interface Read {
  /** The dimensions, with those that they are within, ascending. */
  readonly scope: readonly number[];
  /** Those of them of which it is asked whether they are there. */
  readonly tested: ReadonlySet<number>;
}

/** Null for a rule that reads a variable as a whole. */
function findRead({ ast }: AnalysedRule['rule'], space: Space): Read | null {
  const uses: SignalUses = new Map();
  collectUses(ast, uses);
  const scope = new Set<number>();
  const tested = new Set<number>();
  for (const [name, { path, isTested }] of uses) {
    if (name === 'request' || space.providers.has(name)) return null;
    const found = placeOf(path, [...space.providers.values()]);
    if (found === null) continue;
    const steps = [found.source, ...found.path];
    const places = steps.flatMap((_, last) => space.places.get(steps.slice(0, last + 1).join('.')) ?? []);
    for (const place of places) scope.add(place);
    const own = space.places.get(steps.join('.'));
    if (isTested && own !== undefined) tested.add(own);
  }
  return { scope: [...scope].toSorted((left, right) => left - right), tested };
}
