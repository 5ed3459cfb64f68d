import type { SignalValue } from '../evidence.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';
import type { Contradiction, ContradictionInput, Family, Find, Finding } from './contradiction.ts';
import { BECAUSE, BETWEEN, NOTHING_COMPARED, TOTALS, wantedBy } from './contradiction-signals.ts';
import { LatestMoment } from './moment.ts';

/** What a policy reads of contradictions. */
export interface ContradictionPlan {
  /** Those that are looked for, the strongest first. */
  readonly wanted: readonly Contradiction[];
  /** Their places among those that depend on more than evidence and the request. */
  readonly anew: readonly number[];
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
  const anew = [...wanted.keys()].filter((place) => isFoundAnew(wanted[place]?.reads ?? []));
  return { wanted, anew, hasTotals: paths.some(([name = '']) => name in TOTALS), params };
}

function isFoundAnew(reads: Contradiction['reads']): boolean {
  return reads.includes('memory') || reads.includes('time');
}

type Value = Exclude<SubjectFacts[string], string | undefined>;

/** What was told last of the same evidence and request. `tellAgain` changes it. */
export interface ToldContradictions {
  /** One for each contradiction of the plan, in its order, as those below. Their working may be an older one. */
  readonly findings: Finding[];
  /** Bound to the evidence. */
  readonly finds: readonly Find[];
  value: Value;
  readonly moment: LatestMoment;
}

/** Looks for every contradiction of the plan. */
export function tellContradictions(plan: ContradictionPlan, input: ContradictionInput): ToldContradictions {
  const finds = plan.wanted.map(({ find, bind }) => bind?.(input.evidence) ?? find);
  const findings = finds.map((find) => find(input));
  const moment = new LatestMoment();
  moment.isTheSameIn(input);
  return { findings, finds, value: toContradictionSignals(plan, findings), moment };
}

/**
 * Looks again for those that can have changed although evidence and request are the same. Within a second that
 * is mostly none: what was told is then told as the same object, which records share.
 */
export function tellAgain(
  plan: ContradictionPlan,
  told: ToldContradictions,
  input: ContradictionInput,
): ToldContradictions['value'] {
  const { findings, finds, moment } = told;
  if (moment.isTheSameIn(input)) return told.value;
  let because: Record<string, SignalValue> | null = null;
  for (const place of plan.anew) {
    const finding = finds[place]?.(input) ?? 'unknown';
    if (resultOf(finding) !== resultOf(findings[place])) return tellOther(plan, told, input);
    if (typeof finding !== 'object') continue;
    because ??= { ...Object(told.value[BECAUSE]) } as Record<string, SignalValue>;
    because[plan.wanted[place]?.id ?? ''] = finding.because;
  }
  // Most decisions about the same evidence differ in the working alone.
  if (because !== null) told.value = { ...told.value, [BECAUSE]: because };
  return told.value;
}

function tellOther(
  plan: ContradictionPlan,
  told: ToldContradictions,
  input: ContradictionInput,
): ToldContradictions['value'] {
  const { findings, finds } = told;
  for (const place of plan.anew) findings[place] = finds[place]?.(input) ?? 'unknown';
  told.value = toContradictionSignals(plan, findings);
  return told.value;
}

function resultOf(finding: Finding | undefined): Finding | boolean | undefined {
  return typeof finding === 'object' ? finding.result : finding;
}

/** The findings as a policy reads them. */
export function toContradictionSignals(
  { wanted, hasTotals }: Pick<ContradictionPlan, 'wanted' | 'hasTotals'>,
  findings: readonly Finding[],
): Value {
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
