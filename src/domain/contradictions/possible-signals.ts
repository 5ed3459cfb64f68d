import type { FieldValue, SoftValue } from '../policy/subject-fact.ts';
import { FAMILIES } from './contradiction.ts';
import { CONTRADICTIONS } from './registry.ts';

const COUNT = 'count';
const TOTAL_FAMILIES = 'families';
const STRONGEST = 'strongest';

/** What one contradiction can come to. */
const NOTHING: SoftValue = { softness: 'nothing' };
const RESULTS: readonly FieldValue[] = [false, true, undefined, NOTHING];

/**
 * Every value that a field of known contradictions can have, the first of which it has where nothing
 * contradicts. Empty for no such field.
 */
export function possibleValues(name: string): readonly FieldValue[] {
  if (name === COUNT) return numbersUpTo(CONTRADICTIONS.length);
  if (name === TOTAL_FAMILIES) return numbersUpTo(FAMILIES.length);
  if (name === STRONGEST) return ['', ...CONTRADICTIONS.map(({ id }) => id), undefined];
  return CONTRADICTIONS.some(({ id }) => id === name) ? RESULTS : [];
}

/** Numbers, and then what they are between where they are not certain: first that nothing is known of them. */
function numbersUpTo(most: number): readonly FieldValue[] {
  const numbers = Array.from({ length: most + 1 }, (_, number) => number);
  const ranges = numbers.flatMap((least) =>
    numbers.filter((end) => end > least).map((end) => ({ least, most: end })),
  );
  const widestFirst = ranges.toSorted((left, right) => widthOf(right) - widthOf(left));
  return [...numbers, ...widestFirst.map((softness) => ({ softness }))];
}

function widthOf({ least, most }: { readonly least: number; readonly most: number }): number {
  return most - least;
}

/** What some contradictions come to together, as far as the fields that are asked about tell. */
interface Tally {
  /** By the order of `names`: the places of the values of those that are single contradictions. */
  readonly results: readonly number[];
  readonly certain: number;
  readonly possible: number;
  /** One bit for each family. */
  readonly families: number;
  readonly familiesPossible: number;
  /** Undefined where it is lost. */
  readonly strongest: string | undefined;
}

const NOTHING_YET: Tally = {
  results: [],
  certain: 0,
  possible: 0,
  families: 0,
  familiesPossible: 0,
  strongest: '',
};

/** A value is given by its place in `possibleValues`. */
type Fixed = ReadonlyMap<string, number>;

/**
 * Which values these fields can have together: the places of their values in `possibleValues`, joined by
 * commas, in the order of `names`. Only those with the values in `fixed`, where it names some.
 */
export function possibleTogether(names: readonly string[], fixed: Fixed = new Map()): ReadonlySet<string> {
  let tallies = new Map([['', NOTHING_YET]]);
  for (const { id, family } of CONTRADICTIONS) {
    const isAsked = names.includes(id);
    const given = fixed.get(id);
    // To totals, one that is false and one with nothing to compare are the same.
    const results = isAsked ? RESULTS : RESULTS.filter((result) => result !== NOTHING);
    const chosen = [...results.keys()].filter((place) => given === undefined || place === given);
    const next = new Map<string, Tally>();
    for (const tally of tallies.values())
      for (const place of chosen) {
        const counted = count(tally, { id, bit: 1 << FAMILIES.indexOf(family) }, RESULTS[place]);
        const grown = forget(
          { ...counted, results: isAsked ? [...tally.results, place] : tally.results },
          names,
        );
        next.set(keyOf(grown), grown);
      }
    tallies = next;
  }
  const asked = CONTRADICTIONS.map(({ id }) => id).filter((id) => names.includes(id));
  const together = new Set<string>();
  for (const tally of tallies.values()) {
    const places = names.map((name) => {
      const at = asked.indexOf(name);
      return at === -1 ? placeOfTotal(name, tally) : (tally.results[at] ?? -1);
    });
    if (names.every((name, at) => fixed.get(name) === undefined || fixed.get(name) === places[at]))
      together.add(places.join());
  }
  return together;
}

function count(tally: Tally, { id, bit }: { readonly id: string; readonly bit: number }, result: FieldValue) {
  if (result === false || result === NOTHING) return tally;
  const isCertain = result === true;
  return {
    ...tally,
    certain: tally.certain + Number(isCertain),
    possible: tally.possible + 1,
    families: isCertain ? tally.families | bit : tally.families,
    familiesPossible: tally.familiesPossible | bit,
    strongest: tally.strongest === '' ? (isCertain ? id : undefined) : tally.strongest,
  };
}

/** Without what none of these names tells: so there are few of them. */
function forget(tally: Tally, names: readonly string[]): Tally {
  const { certain, possible, families, familiesPossible, strongest } = NOTHING_YET;
  return {
    ...tally,
    ...(!names.includes(COUNT) && { certain, possible }),
    ...(!names.includes(TOTAL_FAMILIES) && { families, familiesPossible }),
    ...(!names.includes(STRONGEST) && { strongest }),
  };
}

function keyOf({ results, certain, possible, families, familiesPossible, strongest }: Tally): string {
  return `${results.join('')} ${certain} ${possible} ${families} ${familiesPossible} ${strongest}`;
}

function placeOfTotal(name: string, tally: Tally): number {
  const values = possibleValues(name);
  if (name === STRONGEST) return values.indexOf(tally.strongest);
  const [least, most] =
    name === COUNT
      ? [tally.certain, tally.possible]
      : [bitsOf(tally.families), bitsOf(tally.familiesPossible)];
  if (least === most) return least;
  return values.findIndex((value) => {
    const softness = typeof value === 'object' ? value.softness : NOTHING.softness;
    return softness !== 'nothing' && softness.least === least && softness.most === most;
  });
}

function bitsOf(mask: number): number {
  return mask === 0 ? 0 : (mask & 1) + bitsOf(mask >> 1);
}
