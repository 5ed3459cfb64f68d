import { type GroupedRecord, type GroupKey, valuesOf } from '../../../domain/decision-log/group-keys.ts';
import { OUTCOME_LABELS } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { Column, ColumnName } from './column-chunk.ts';
import { greatestOf, LabelColumns, type SegmentDictionary } from './entry-matches.ts';
import type { EntryChunk } from './segment-columns.ts';

/** How the entries of one segment are told apart by a key. */
export interface EntryClasses {
  /** Which of the columns it is that the key is about; `label` is no stored one. */
  readonly source: ColumnName | 'label';
  /** The class of each number of that column. */
  readonly classOf: Uint32Array;
  /** The values of each class: several, one, or none. */
  readonly values: readonly (readonly string[])[];
  column(chunk: EntryChunk): Column;
}

const NOTHING: GroupedRecord = {
  facts: {} as RecordFacts,
  place: { country: null, asn: null },
  action: null,
  label: null,
};

/** The classes of a key. */
export function classifyEntries(dictionary: SegmentDictionary, key: GroupKey): EntryClasses {
  const classes = new ClassList(key);
  const [source, items] = itemsOf(dictionary, key);
  // A number without an item is a missing action, one that shares its number, or a place nothing is known of.
  const rest = source === 'shape' ? 0 : classes.of(NOTHING);
  const classOf = new Uint32Array(greatestOf(items) + 1).fill(rest);
  for (const [number, item] of items) classOf[number] = classes.of(item);
  const labels = source === 'label' ? new LabelColumns(dictionary) : null;
  const column: EntryClasses['column'] = (chunk) =>
    source === 'label' ? (labels as LabelColumns).of(chunk) : chunk.column(source);
  return { source, classOf, values: classes.values, column };
}

function itemsOf(
  dictionary: SegmentDictionary,
  key: GroupKey,
): readonly [EntryClasses['source'], ReadonlyMap<number, GroupedRecord>] {
  switch (key) {
    case 'country':
    case 'asn':
      return ['place', mapValues(dictionary.places(), (place) => ({ ...NOTHING, place }))];
    case 'action':
      return ['action', mapValues(dictionary.actions(), (action) => ({ ...NOTHING, action }))];
    case 'label':
      return ['label', new Map(OUTCOME_LABELS.map((label, place) => [place + 1, { ...NOTHING, label }]))];
    default:
      return ['shape', mapValues(dictionary.shapes(), (facts) => ({ ...NOTHING, facts }))];
  }
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
