import type { CompiledPolicy } from '../policy/compile.ts';
import type { Verdict } from '../verdict.ts';
import type { Budget } from './budget.ts';
import { type Combined, combine, type Reached } from './combine.ts';
import { contributionOf, permit, verdictOf, weigh } from './contribution.ts';
import { ANYTHING, type Space } from './dimension.ts';
import { type Finding, showWith, toFinding } from './finding.ts';
import type { BeforeAfter } from './loss-questions.ts';
import type { Prepared } from './prepare.ts';
import { createSummaries, type Summaries } from './summaries.ts';
import { fillTable, type Table } from './table.ts';

/** An answer before and after the client changed what it sends, and how many signals it changed. */
interface Bypass extends BeforeAfter {
  readonly cost: number;
}

/** More signals than these are no cheap bypass. */
const SIGNALS_MAX = 3;

const NOTHING: Bypass = { level: 0, isExempted: false, levelAfter: 0, isExemptedAfter: false, cost: 0 };

/**
 * The fewest signals of the client that together make ALLOW of each of these verdicts, all else being as it was.
 * Exact where all signals of the client can be combined at once; otherwise by one more signal after the other, as far
 * as the budget goes. All at once may take this share of it.
 */
export function findCheapestBypass(
  prepared: Prepared,
  policy: CompiledPolicy,
  verdicts: readonly Verdict[],
  budget: Budget,
  shareOfWhole = 0.5,
): readonly Finding[] {
  const client = prepared.space.dimensions.flatMap(({ isClient }, place) => (isClient ? [place] : []));
  if (client.length < 2 || verdicts.length === 0) return [];
  const open = new Set(verdicts);
  const half: Budget = { steps: Math.floor(budget.steps * shareOfWhole) };
  budget.steps -= half.steps;
  const whole = search(prepared, client, half);
  budget.steps += Math.max(0, half.steps);
  if (whole !== null) return report(prepared, policy, client, whole.reached, open);
  const findings: Finding[] = [];
  for (let size = 2; size <= Math.min(SIGNALS_MAX, client.length) && open.size > 0; size += 1)
    for (const some of subsetsOf(client, size)) {
      const found = search(prepared, some, budget);
      if (found === null) {
        const what = `which ${size} signals of the client or more make ALLOW together`;
        return [...findings, toFinding('not_answered', `${what}: there is too much to combine`)];
      }
      findings.push(...report(prepared, policy, some, found.reached, open));
    }
  return findings;
}

function* subsetsOf(places: readonly number[], size: number): Generator<readonly number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (const [at, place] of places.entries())
    for (const rest of subsetsOf(places.slice(at + 1), size - 1)) yield [place, ...rest];
}

/** A finding for each verdict that is still open, of the fewest signals; it is open no more. */
function report(
  prepared: Prepared,
  policy: CompiledPolicy,
  client: readonly number[],
  reached: readonly Reached<Bypass>[],
  open: Set<Verdict>,
): readonly Finding[] {
  const toAllow = reached
    .filter(({ summary: { cost } }) => cost > 0 && cost <= SIGNALS_MAX)
    .filter(({ summary }) => verdictsOf(policy, summary)[1] === 'ALLOW')
    .toSorted((left, right) => left.summary.cost - right.summary.cost);
  return [...open].flatMap((was) => {
    const own = toAllow.filter(({ summary }) => verdictsOf(policy, summary)[0] === was);
    if (own.length === 0) return [];
    const shown = own.flatMap((one) => show(prepared.space, policy, client, one, was) ?? [])[0];
    open.delete(was);
    if (shown !== undefined) return [shown];
    const fewest = own[0]?.summary.cost;
    return [
      toFinding('bypass', `who chooses ${fewest} signals of the client can make ALLOW of ${was}`, {
        isUnproven: true,
      }),
    ];
  });
}

function show(
  space: Space,
  policy: CompiledPolicy,
  client: readonly number[],
  { assignment, summary }: Reached<Bypass>,
  was: Verdict,
): Finding | null {
  const chosen = new Map(
    client.map((place, at) => [place, assignment.get(space.dimensions.length + at) ?? 0] as const),
  );
  const before = showWith(policy, space, assignment, ({ verdict }) => verdict === was);
  const after = new Map([...assignment, ...chosen]);
  const witness = showWith(policy, space, after, ({ verdict }) => verdict === 'ALLOW');
  if (before === null || witness === null) return null;
  const names = client
    .filter((place) => (assignment.get(place) ?? 0) !== chosen.get(place))
    .map((place) => space.dimensions[place]?.name ?? '');
  const last = names.length > 1 ? ` and ${names.at(-1)}` : (names[0] ?? '');
  const who = `${names.slice(0, -1).join(', ')}${last}`;
  const how = summary.cost === 1 ? 'alone' : 'together, and no fewer,';
  return toFinding('bypass', `who chooses ${who} ${how} can make ALLOW of ${was}`, { witness, before });
}

function verdictsOf(policy: CompiledPolicy, summary: Bypass): readonly [Verdict, Verdict] {
  return [
    verdictOf(policy, summary.level, summary.isExempted),
    verdictOf(policy, summary.levelAfter, summary.isExemptedAfter),
  ];
}

/**
 * All that a change of these signals does, in one combination: each of them is there twice, as it was and as it is
 * after, and each that differs costs one.
 */
function search(prepared: Prepared, client: readonly number[], budget: Budget): Combined<Bypass> | null {
  const { space, rules, constraints } = prepared;
  const summaries = createSummaries(NOTHING, (left, right) => ({
    level: Math.max(left.level, right.level),
    isExempted: left.isExempted || right.isExempted,
    levelAfter: Math.max(left.levelAfter, right.levelAfter),
    isExemptedAfter: left.isExemptedAfter || right.isExemptedAfter,
    cost: Math.min(SIGNALS_MAX + 1, left.cost + right.cost),
  }));
  const twins = new Map(client.map((place, at) => [place, space.dimensions.length + at]));
  const doubled: Space = {
    ...space,
    dimensions: [...space.dimensions, ...client.flatMap((place) => space.dimensions[place] ?? [])],
  };
  const isTouched = ({ scope }: Table) => scope.some((place) => twins.has(place));
  const tables = rules.flatMap(({ rule, table }) => {
    const before = (code: number): Bypass => {
      const { isExempting, level } = contributionOf(rule, code);
      return { ...NOTHING, level, isExempted: isExempting };
    };
    const after = (code: number): Bypass => {
      const { isExempting, level } = contributionOf(rule, code);
      return { ...NOTHING, levelAfter: level, isExemptedAfter: isExempting };
    };
    if (!isTouched(table))
      return [weigh(table, summaries, (code) => ({ ...before(code), ...pick(after(code)) }))];
    return [weigh(table, summaries, before), weigh(toTwin(table, twins), summaries, after)];
  });
  const permits = [...constraints, ...constraints.filter(isTouched).map((table) => toTwin(table, twins))].map(
    (table) => permit(table, summaries),
  );
  const costs = client.map((place) => costOf(doubled, [place, twins.get(place) ?? place], summaries));
  return combine([...tables, ...permits, ...costs], doubled, summaries, budget);
}

function pick({ levelAfter, isExemptedAfter }: Bypass): Partial<Bypass> {
  return { levelAfter, isExemptedAfter };
}

/** The table of the signals after the change: the places of those that can change are others. */
function toTwin({ scope, sizes, codes }: Table, twins: ReadonlyMap<number, number>): Table {
  const moved = scope
    .map((place, at) => ({ place: twins.get(place) ?? place, at, size: sizes[at] ?? 1 }))
    .toSorted((left, right) => left.place - right.place);
  const [places, lengths] = [moved.map(({ place }) => place), moved.map(({ size }) => size)];
  const placeAt = scope.map((place) => twins.get(place) ?? place);
  return {
    scope: places,
    sizes: lengths,
    codes: fillTable(places, lengths, (assignment) => {
      const cell = placeAt.reduce(
        (sum, place, at) => sum * (sizes[at] ?? 1) + (assignment.get(place) ?? 0),
        0,
      );
      return codes[cell] ?? 0;
    }),
  };
}

function costOf({ dimensions }: Space, scope: readonly [number, number], summaries: Summaries<Bypass>) {
  const sizes = scope.map((place) => dimensions[place]?.values.length ?? 1);
  const [was, is] = scope;
  const values = dimensions[was]?.values ?? [];
  const codes = fillTable(scope, sizes, (one) => {
    const value = one.get(was) ?? 0;
    if (value !== one.get(is)) return 1;
    // It may be anything before, and anything else after.
    return values[value] === ANYTHING ? 2 : 0;
  });
  const changed = summaries.numberOf({ ...NOTHING, cost: 1 });
  return { scope, sizes, codes, summaries: [[summaries.none], [changed], [summaries.none, changed]] };
}
