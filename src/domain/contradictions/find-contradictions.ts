import type { SignalValue } from '../evidence.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';
import type { Contradiction, ContradictionInput, Family, Finding } from './contradiction.ts';
import { BECAUSE, BETWEEN, NOTHING_COMPARED, TOTALS, wantedBy } from './contradiction-signals.ts';

/** What a policy reads of contradictions. */
export interface ContradictionPlan {
  /** Those that are looked for, the strongest first. */
  readonly wanted: readonly Contradiction[];
  /** The totals that it reads; they are told only where all are looked for. */
  readonly hasTotals: boolean;
  /** The parameters of those that are looked for. */
  readonly params: Readonly<Record<string, number>>;
}

/** The plan of a policy that reads these fields, and has these parameters of its own. */
export function toContradictionPlan(
  paths: readonly (readonly string[])[],
  own: Readonly<Record<string, unknown>>,
): ContradictionPlan {
  const wanted = wantedBy(paths);
  const params: Record<string, number> = {};
  for (const { params: defaults = {} } of wanted)
    for (const [name, usual] of Object.entries(defaults)) {
      const value = own[name];
      params[name] = typeof value === 'number' ? value : usual;
    }
  return { wanted, hasTotals: paths.some(([name = '']) => name in TOTALS), params };
}

/** What each contradiction of a plan came to, in its order. */
type Findings = readonly Finding[];

/** Looks for every contradiction of the plan but those that are `known`, which has a place for each, or none. */
export function findContradictions(
  { wanted }: Pick<ContradictionPlan, 'wanted'>,
  input: ContradictionInput,
  known: readonly (Finding | undefined)[],
): Findings {
  const findings: Finding[] = [];
  for (const { find } of wanted) findings.push(known[findings.length] ?? find(input));
  return findings;
}

type Value = Exclude<SubjectFacts[string], string | undefined>;

/** What was told of these findings before. */
export interface ToldFindings {
  readonly findings: Findings;
  readonly value: Value;
}

/**
 * The same as they were told before, with the working of those that were found anew; null where one came to
 * something else. Most decisions about the same evidence differ in this alone.
 */
export function retellContradictions(
  { wanted }: ContradictionPlan,
  findings: Findings,
  before: ToldFindings,
): Value | null {
  let because: Record<string, SignalValue> | null = null;
  for (let place = 0; place < findings.length; place += 1) {
    const [finding, last] = [findings[place], before.findings[place]];
    if (finding === last) continue;
    if (typeof finding !== 'object' || typeof last !== 'object') return null;
    if (finding.result !== last.result) return null;
    because ??= { ...Object(before.value[BECAUSE]) } as Record<string, SignalValue>;
    because[wanted[place]?.id ?? ''] = finding.because;
  }
  return because === null ? before.value : { ...before.value, [BECAUSE]: because };
}

/** The findings as a policy reads them. */
export function toContradictionSignals({ wanted, hasTotals }: ContradictionPlan, findings: Findings): Value {
  const value: Record<string, SignalValue | undefined> = {};
  const because: Record<string, SignalValue> = {};
  const nothing: string[] = [];
  const tally = createTally();
  wanted.forEach((contradiction, place) => {
    const { id } = contradiction;
    const finding = findings[place] ?? 'unknown';
    tally.add(contradiction, finding);
    if (finding === 'none') nothing.push(id);
    if (typeof finding === 'string') return;
    value[id] = finding.result;
    because[id] = finding.because;
  });
  if (hasTotals) tally.tell(value);
  if (nothing.length > 0) value[NOTHING_COMPARED] = nothing;
  if (Object.keys(because).length > 0) value[BECAUSE] = because;
  return value;
}

/** Counts what is certain, and what could be so besides. */
function createTally() {
  let [certain, possible] = [0, 0];
  const families = new Set<Family>();
  const familiesPossible = new Set<Family>();
  let strongest: string | undefined = '';
  return {
    add: ({ id, family }: Contradiction, finding: Finding) => {
      if (finding === 'none' || (finding !== 'unknown' && !finding.result)) return;
      possible += 1;
      familiesPossible.add(family);
      // Those that come first are stronger: an unknown one may be the strongest.
      if (strongest === '') strongest = finding === 'unknown' ? undefined : id;
      if (finding === 'unknown') return;
      certain += 1;
      families.add(family);
    },
    tell: (value: Record<string, SignalValue | undefined>) => {
      const between: Record<string, SignalValue> = {};
      const put = (name: string, least: number, most: number) => {
        if (least === most) value[name] = least;
        else between[name] = { least, most };
      };
      put('count', certain, possible);
      put('families', families.size, familiesPossible.size);
      if (strongest !== undefined) value['strongest'] = strongest;
      if (Object.keys(between).length > 0) value[BETWEEN] = between;
    },
  };
}
