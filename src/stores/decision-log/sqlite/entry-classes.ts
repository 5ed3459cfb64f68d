import type { DelayedLabel, GroupedRecord, GroupKey } from '../../../domain/decision-log/group-keys.ts';
import { OUTCOME_LABELS } from '../../../domain/decision-log/outcome-label.ts';
import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { NOWHERE } from '../../../domain/decision-log/record-place.ts';
import type { Column, ColumnName, EntryChunk } from './column-chunk.ts';
import { greatestOf, LabelColumns, numberLabels, type SegmentDictionary } from './entry-matches.ts';
import { valuesOfKey } from './key-values.ts';
import type { PlacePart } from './segment-summary.ts';

/** How the entries of one segment are told apart by a key. */
export interface EntryClasses {
  /** Which of the columns it is that the key is about; those of labels are no stored ones. */
  readonly source: ColumnName | 'label' | 'labelled';
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

/** The classes of one of the keys of a question. */
export function classifyEntries(
  dictionary: SegmentDictionary,
  by: readonly GroupKey[],
  key: GroupKey,
): EntryClasses {
  const classes = new ClassList();
  const known = valuesOfKey(by, key);
  const byPlaces = classifyPlaces(dictionary, key, (item, record) =>
    classes.of(known.of(item, () => record)),
  );
  if (byPlaces !== null)
    return {
      source: 'place',
      classOf: byPlaces,
      values: classes.values,
      column: (chunk) => chunk.column('place'),
    };
  const { source, items, toRecord, labels } = itemsOf(dictionary, key);
  // A number without an item is a missing action, one that shares its number, or a place nothing is known of.
  const rest = source === 'shape' ? 0 : classes.of(known.of(NOTHING, () => NOTHING));
  const classOf = new Uint32Array(greatestOf(items) + 1).fill(rest);
  for (const [number, item] of items) classOf[number] = classes.of(known.of(item, toRecord));
  const column: EntryClasses['column'] = (chunk) =>
    source === 'label' || source === 'labelled' ? (labels as LabelColumns).of(chunk) : chunk.column(source);
  return { source, classOf, values: classes.values, column };
}

/** Which part of a place a key is about. */
const PLACE_KEYS: Readonly<Partial<Record<GroupKey, PlacePart>>> = {
  country: 'country',
  asn: 'asn',
  asn_name: 'asnName',
};

/** The class of each place by the values of one part, where they are at hand; null otherwise. */
function classifyPlaces(
  dictionary: SegmentDictionary,
  key: GroupKey,
  classOfItem: (item: unknown, record: GroupedRecord) => number,
): Uint32Array | null {
  const part = PLACE_KEYS[key];
  const found = part === undefined ? null : (dictionary.placeColumn?.(part) ?? null);
  if (part === undefined || found === null) return null;
  const { values, column } = found;
  const classes = values.map((value) =>
    classOfItem(value, { ...NOTHING, place: { ...NOWHERE, [part]: value } }),
  );
  const classOf = new Uint32Array(column.length);
  for (let number = 0; number < column.length; number += 1)
    classOf[number] = classes[column[number] as number] ?? 0;
  return classOf;
}

/** What the numbers of a column stand for. */
interface ColumnItems {
  readonly source: EntryClasses['source'];
  readonly items: ReadonlyMap<number, unknown>;
  readonly toRecord: (item: unknown) => GroupedRecord;
  /** Null for stored columns. */
  readonly labels: LabelColumns | null;
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
      const labels = new Map(OUTCOME_LABELS.map((label, place) => [place + 1, { label, delay: 0 }]));
      const columns = new LabelColumns(numberLabels(dictionary));
      return toItems('label', labels, (label) => ({ ...NOTHING, label }), columns);
    }
    case 'labelled': {
      const { labels, columns } = numberDelayed(dictionary);
      return toItems('labelled', labels, (label) => ({ ...NOTHING, label }), columns);
    }
    default:
      return toItems('shape', dictionary.shapes(), (facts) => ({ ...NOTHING, facts }));
  }
}

function toItems<Item>(
  source: EntryClasses['source'],
  items: ReadonlyMap<number, Item>,
  toRecord: (item: Item) => GroupedRecord,
  labels: LabelColumns | null = null,
): ColumnItems {
  // The items are handed to the function that came with them.
  return { source, items, toRecord: toRecord as ColumnItems['toRecord'], labels };
}

/** Labels with their times: a number for each label and bucket. */
function numberDelayed(dictionary: SegmentDictionary) {
  const labels = new Map<number, DelayedLabel>();
  const numbers = new Map<number, number>();
  for (const [seq, delayed] of dictionary.delayedLabels()) {
    const number = 1 + delayed.delay * OUTCOME_LABELS.length + OUTCOME_LABELS.indexOf(delayed.label);
    labels.set(number, delayed);
    numbers.set(seq, number);
  }
  return { labels, columns: new LabelColumns(numbers) };
}

/** Numbers classes by their values, as they come. Equal values are one list. */
class ClassList {
  readonly values: (readonly string[])[] = [];
  readonly #numbers = new Map<readonly string[], number>();

  of(values: readonly string[]): number {
    let number = this.#numbers.get(values);
    if (number === undefined) {
      number = this.values.length;
      this.#numbers.set(values, number);
      this.values.push(values);
    }
    return number;
  }
}
