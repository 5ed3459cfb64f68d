import { type GroupedRecord, type GroupKey, valuesOf } from '../../../domain/decision-log/group-keys.ts';

/** Values by which decisions count together, the same list for all that have the same. */
type Values = readonly string[];

/**
 * The values that items have by one key, found once for all segments of a question: days have most of what
 * they hold in common.
 */
class KeyValues {
  readonly #key: GroupKey;
  readonly #ofItems = new Map<unknown, Values>();
  readonly #lists = new Map<string, Values>();

  constructor(key: GroupKey) {
    this.#key = key;
  }

  /** The values of an item: facts and texts are told by themselves. */
  of(item: unknown, toRecord: (item: unknown) => GroupedRecord): Values {
    const known = this.#ofItems.get(item);
    if (known !== undefined) return known;
    const found = valuesOf(toRecord(item), this.#key);
    const text = found.length === 1 ? (found[0] ?? '') : found.join('\n');
    const values = this.#lists.get(text) ?? found;
    this.#lists.set(text, values);
    this.#ofItems.set(item, values);
    return values;
  }
}

const byQuestion = new WeakMap<readonly GroupKey[], Map<GroupKey, KeyValues>>();

/** Those of a key of a question, which is told by its list of keys: the segments of one question share it. */
export function valuesOfKey(by: readonly GroupKey[], key: GroupKey): KeyValues {
  const ofQuestion = byQuestion.get(by) ?? new Map<GroupKey, KeyValues>();
  byQuestion.set(by, ofQuestion);
  const values = ofQuestion.get(key) ?? new KeyValues(key);
  ofQuestion.set(key, values);
  return values;
}
