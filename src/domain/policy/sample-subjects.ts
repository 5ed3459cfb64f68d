import { SIGNAL_ITEMS_MAX } from '../evidence.ts';
import type { ObjectType, SignalType } from './signal-type.ts';

/** Sample evidence for trying a condition when it is loaded: one value for each variable, nothing absent. */
type SampleSubject = Readonly<Record<string, unknown>>;

/** The literals of a condition: what it compares signals with, splits them by, and looks up in lists. */
interface Literals {
  readonly texts: ReadonlySet<string>;
  readonly integers: ReadonlySet<bigint>;
}

/** Texts for the conversions of CEL: each conversion accepts at least one of them. */
const TEXTS = [
  '1',
  '2026-01-02T03:04:05Z',
  '90s',
  'true',
  '0.5',
  '203.0.113.9',
  'Europe/Berlin',
  'x'.repeat(100),
];
const INTEGERS = [1n, 0n, 7n, 1_800_000_000n];
const MIXED_SAMPLES = 16;
const LIST_ITEMS_MIN = 3;
const LITERALS_MAX = 24;
const PIECES = 4;

interface Pools {
  readonly texts: readonly string[];
  readonly integers: readonly bigint[];
  readonly listItems: number;
}

/**
 * Subjects in which every signal is present: first some with one text in every field, then mixtures. The same
 * condition always gets the same subjects.
 */
export function* sampleSubjects(
  variables: ReadonlyMap<string, ObjectType>,
  literals: Literals,
): Generator<SampleSubject> {
  const pools = toPools(literals);
  const uniform = Math.max(pools.texts.length, pools.integers.length);
  for (let turn = 0; turn < uniform; turn += 1) yield sample(variables, pools, () => turn);
  for (let turn = 0; turn < MIXED_SAMPLES; turn += 1) {
    let place = turn * 7919;
    yield sample(variables, pools, () => {
      // A linear congruence (Numerical Recipes), so that signals differ from each other and loads do not.
      place = (Math.imul(place, 1_664_525) + 1_013_904_223) >>> 0;
      return place >>> 8;
    });
  }
}

function toPools({ texts, integers }: Literals): Pools {
  const written = [...texts].slice(0, LITERALS_MAX);
  const numbers = [...integers].slice(0, LITERALS_MAX);
  const longest = numbers.reduce((most, number) => (number > most ? number : most), 0n);
  const wanted = longest < SIGNAL_ITEMS_MAX ? Number(longest) + 1 : SIGNAL_ITEMS_MAX;
  return {
    // A text that is split at a literal must contain it, with parts that can be converted.
    texts: [...TEXTS, ...written, ...written.map((text) => Array(PIECES).fill('1').join(text))],
    integers: [...INTEGERS, ...numbers],
    listItems: Math.max(LIST_ITEMS_MIN, written.length, wanted),
  };
}

function sample(variables: ReadonlyMap<string, ObjectType>, pools: Pools, next: () => number): SampleSubject {
  return Object.fromEntries([...variables].map(([name, type]) => [name, sampleOf(type, pools, next)]));
}

function sampleOf(type: SignalType, pools: Pools, next: () => number): unknown {
  switch (type.kind) {
    case 'object':
      return Object.fromEntries(
        [...type.fields].map(([name, field]) => [name, sampleOf(field, pools, next)]),
      );
    case 'list': {
      const start = next();
      return Array.from({ length: pools.listItems }, (_, place) =>
        sampleOf(type.item, pools, () => start + place),
      );
    }
    case 'string':
      return pick(pools.texts, next());
    case 'int':
      return pick(pools.integers, next());
    case 'double':
      return Number(pick(pools.integers, next())) + 0.5;
    case 'bool':
      return next() % 2 === 0;
  }
}

function pick<Item>(pool: readonly Item[], place: number): Item | undefined {
  return pool[place % pool.length];
}
