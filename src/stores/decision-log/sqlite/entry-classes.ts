import { type GroupedRecord, type GroupKey, valuesOf } from '../../../domain/decision-log/group-keys.ts';
import { OUTCOME_LABELS } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { NOWHERE } from '../../../domain/decision-log/record-place.ts';
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
  place: NOWHERE,
  action: null,
  label: null,
};

/** The classes of a key. */
export function classifyEntries(dictionary: SegmentDictionary, key: GroupKey): EntryClasses {
  const classes = new ClassList(key);
  const { source, items, toRecord } = itemsOf(dictionary, key);
  // A number without an item is a missing action, one that shares its number, or a place nothing is known of.
  const rest = source === 'shape' ? 0 : classes.of(NOTHING);
  const classOf = new Uint32Array(greatestOf(items) + 1).fill(rest);
  for (const [number, item] of items) classOf[number] = classes.of(toRecord(item));
  const labels = source === 'label' ? new LabelColumns(dictionary) : null;
  const column: EntryClasses['column'] = (chunk) =>
    source === 'label' ? (labels as LabelColumns).of(chunk) : chunk.column(source);
  return { source, classOf, values: classes.values, column };
}

/** What the numbers of a column stand for. */
interface ColumnItems {
  readonly source: EntryClasses['source'];
  readonly items: ReadonlyMap<number, unknown>;
  readonly toRecord: (item: unknown) => GroupedRecord;
}

function itemsOf(dictionary: SegmentDictionary, key: GroupKey): ColumnItems {
  switch (key) {
    case 'country':
    case 'asn':
    case 'asn_name':
      return toItems('place', dictionary.places(), (place) => ({ ...NOTHING, place }));
    case 'action':
      return toItems('action', dictionary.actions(), (action) => ({ ...NOTHING, action }));
    case 'label': {
      const labels = new Map(OUTCOME_LABELS.map((label, place) => [place + 1, label]));
      return toItems('label', labels, (label) => ({ ...NOTHING, label }));
    }
    default:
      return toItems('shape', dictionary.shapes(), (facts) => ({ ...NOTHING, facts }));
  }
}

function toItems<Item>(
  source: EntryClasses['source'],
  items: ReadonlyMap<number, Item>,
  toRecord: (item: Item) => GroupedRecord,
): ColumnItems {
  // The items are handed to the function that came with them.
  return { source, items, toRecord: toRecord as ColumnItems['toRecord'] };
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
    const text = values.length === 1 ? (values[0] ?? '') : values.join('\n');
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.values.length;
      this.#numbers.set(text, number);
      this.values.push(values);
    }
    return number;
  }
}
