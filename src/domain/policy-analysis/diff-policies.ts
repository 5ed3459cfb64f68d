import type { CompiledPolicy } from '../policy/compile.ts';
import type { Verdict } from '../verdict.ts';
import type { Budget } from './budget.ts';
import type { SpaceProvider } from './build-space.ts';
import { ANALYSIS_STEPS_MAX, type Combined, combine, type Reached } from './combine.ts';
import { contributionOf, permit, verdictOf, weigh } from './contribution.ts';
import { withoutStepUps } from './finding.ts';
import { type Prepared, prepare } from './prepare.ts';
import { createSummaries } from './summaries.ts';
import { toWitness } from './to-witness.ts';
import { judgeWitness, type Witness } from './witness.ts';

/** Evidence that two policies may judge differently: the verdicts, and the rules that come to them. */
interface DiffClass {
  readonly from: Verdict;
  readonly to: Verdict;
  /** The first rule that comes to each; null where none does, and where rules were not told apart. */
  readonly fromRule: string | null;
  readonly toRule: string | null;
  /** How many combinations of values are so. */
  readonly combinations: number;
  /** Some that both policies judge so; absent where none could be given. */
  readonly witness?: Witness;
}

/** How two policies differ over all evidence that the rules of either can tell apart. */
interface PolicyDiff {
  /** Those whose verdicts differ, the largest first. Null where the bound was reached. */
  readonly classes: readonly DiffClass[] | null;
  /** By verdict of the first, then of the second, how many combinations are so. */
  readonly table: Readonly<Record<Verdict, Readonly<Record<Verdict, number>>>>;
  readonly limits: readonly string[];
  /** False where the classes are of verdicts alone, because there are too many of rules. */
  readonly tellsRules: boolean;
}

/** What one policy comes to. */
interface Side {
  readonly isExempted: boolean;
  readonly level: number;
  /** The place of the first rule that comes to it; NOBODY where none does. */
  readonly by: number;
}

type Sides = readonly [Side, Side];

/** Beyond the place of any rule. */
const NOBODY = 1000;
const NOTHING: Side = { isExempted: false, level: 0, by: NOBODY };

/** Compares what two policies decide. Their step-ups are left out. */
export function diffPolicies(
  before: CompiledPolicy,
  after: CompiledPolicy,
  providers: readonly SpaceProvider[],
  steps = ANALYSIS_STEPS_MAX,
): PolicyDiff {
  const prepared = prepare([before, after], [], providers, { steps });
  const sidesOf = (tellsRules: boolean, share: number) =>
    prepared.isWhole ? findSides(prepared, tellsRules, { steps: steps * share }) : null;
  const fine = sidesOf(true, 1 / 8);
  const found = fine ?? sidesOf(false, 3 / 8);
  const table = emptyTable();
  const classes: DiffClass[] = [];
  const nameOf = (place: number) => prepared.rules[place]?.rule.source.id ?? null;
  for (const [key, group] of Map.groupBy(found?.reached ?? [], ({ summary }) =>
    keyOf(before, after, summary),
  )) {
    const [from, to, fromRule, toRule] = JSON.parse(key) as [Verdict, Verdict, number, number];
    const combinations = group.reduce((sum, { count }) => sum + count, 0);
    table[from][to] += combinations;
    if (from === to) continue;
    const witness = show(prepared, [before, after], [from, to], group);
    const rules = { fromRule: nameOf(fromRule), toRule: nameOf(toRule) };
    classes.push({ from, to, ...rules, combinations, ...(witness && { witness }) });
  }
  const sorted = classes.toSorted((left, right) => right.combinations - left.combinations);
  return { classes: found && sorted, table, limits: prepared.limits, tellsRules: fine !== null };
}

function emptyTable(): Record<Verdict, Record<Verdict, number>> {
  const row = () => ({ ALLOW: 0, CHALLENGE: 0, BLOCK: 0 });
  return { ALLOW: row(), CHALLENGE: row(), BLOCK: row() };
}

function keyOf(before: CompiledPolicy, after: CompiledPolicy, [was, is]: Sides): string {
  const from = verdictOf(before, was.level, was.isExempted);
  return JSON.stringify([from, verdictOf(after, is.level, is.isExempted), was.by, is.by]);
}

function findSides(prepared: Prepared, tellsRules: boolean, budget: Budget): Combined<Sides> | null {
  const summaries = createSummaries<Sides>([NOTHING, NOTHING], (left, right) => [
    mergeSides(left[0], right[0]),
    mergeSides(left[1], right[1]),
  ]);
  const tables = prepared.rules.map(({ policy, rule, table }, place) =>
    weigh(table, summaries, (code): Sides => {
      const { isExempting, level } = contributionOf(rule, code);
      const by = tellsRules && (isExempting || level > 0) ? place : NOBODY;
      const side: Side = { isExempted: isExempting, level, by };
      return policy === 0 ? [side, NOTHING] : [NOTHING, side];
    }),
  );
  const permits = prepared.constraints.map((table) => permit(table, summaries));
  return combine([...tables, ...permits], prepared.space, summaries, budget);
}

/** The stricter, but an exemption before any; of two that are the same, the first rule. */
function mergeSides(left: Side, right: Side): Side {
  if (left.isExempted !== right.isExempted) return left.isExempted ? left : right;
  if (left.level !== right.level) return left.level > right.level ? left : right;
  return left.by <= right.by ? left : right;
}

function show(
  { space }: Prepared,
  policies: readonly CompiledPolicy[],
  verdicts: readonly Verdict[],
  group: readonly Reached<Sides>[],
): Witness | null {
  for (const { assignment } of group) {
    const witness = toWitness(space, assignment);
    const isSo = policies.every(
      (policy, place) =>
        witness !== null && judgeWitness(withoutStepUps(policy), witness).verdict === verdicts[place],
    );
    if (isSo) return witness;
  }
  return null;
}
