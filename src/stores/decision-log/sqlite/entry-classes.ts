import { type GroupedRecord, type GroupKey, valuesOf } from '../../../domain/decision-log/group-keys.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { ColumnName } from './column-chunk.ts';
import { greatestOf, type SegmentDictionary } from './entry-matches.ts';
import type { EntryChunk } from './segment-columns.ts';

/** How the entries of one segment are told apart by a key. */
export interface EntryClasses {
  /** The values of each class: several, one, or none. */
  readonly values: readonly (readonly string[])[];
  /** Gives the class of each entry of a chunk by its place. */
  of(chunk: EntryChunk): (place: number) => number;
}

const NO_FACTS = {} as RecordFacts;
const NOTHING: GroupedRecord = {
  facts: NO_FACTS,
  place: { country: null, asn: null },
  action: null,
  label: null,
};

/** The classes of a key. */
export function classifyEntries(dictionary: SegmentDictionary, key: GroupKey): EntryClasses {
  const classes = new ClassList(key);
  if (key === 'label') return classifyLabels(dictionary, classes);
  const [column, items] = itemsOf(dictionary, key);
  // What has no number of its own, a gap or a missing action, is like one of which nothing is known.
  const table = new Uint32Array(greatestOf(items) + 1).fill(column === 'shape' ? 0 : classes.of(NOTHING));
  for (const [number, item] of items) table[number] = classes.of(item);
  return {
    values: classes.values,
    of: (chunk) => {
      const numbers = chunk.column(column);
      return (place) => table[numbers[place] as number] as number;
    },
  };
}

function itemsOf(
  dictionary: SegmentDictionary,
  key: GroupKey,
): readonly [ColumnName, ReadonlyMap<number, GroupedRecord>] {
  switch (key) {
    case 'country':
    case 'asn':
      return ['place', mapValues(dictionary.places(), (place) => ({ ...NOTHING, place }))];
    case 'action':
      return ['action', mapValues(dictionary.actions(), (action) => ({ ...NOTHING, action }))];
    default:
      return ['shape', mapValues(dictionary.shapes(), (facts) => ({ ...NOTHING, facts }))];
  }
}

function classifyLabels(dictionary: SegmentDictionary, classes: ClassList): EntryClasses {
  const labels = dictionary.labelsInForce();
  const none = classes.of(NOTHING);
  const found = mapValues(labels, (label) => classes.of({ ...NOTHING, label }));
  return { values: classes.values, of: (chunk) => (place) => found.get(chunk.seqAt(place)) ?? none };
}

function mapValues<From, To>(items: ReadonlyMap<number, From>, map: (item: From) => To): Map<number, To> {
  return new Map([...items].map(([number, item]) => [number, map(item)]));
}

/** Numbers classes by their values, as they come. */
class ClassList {
  readonly values: (readonly string[])[] = [];
  readonly #key: GroupKey;
  readonly #numbers = new Map<string, number>();

  constructor(key: GroupKey) {
    this.#key = key;
  }

  of(item: GroupedRecord): number {
    const values = valuesOf(item, this.#key);
    const text = values.join('\n');
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.values.length;
      this.#numbers.set(text, number);
      this.values.push(values);
    }
    return number;
  }
}
