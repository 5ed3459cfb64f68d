import { LIST_NAME } from '../lists/list-entry.ts';
import { LIST_PARTS } from '../lists/list-part.ts';
import type { ObjectType } from './signal-type.ts';
import type { SubjectFact } from './subject-fact.ts';

/** The most lists of one policy. */
export const LISTS_MAX = 32;
/** In a record of what lists say it names the entries: no list may have this name. */
export const LISTED_ENTRIES = 'entries';

const parts: ObjectType = {
  kind: 'object',
  fields: new Map(LIST_PARTS.map((part) => [part, { kind: 'bool' }])),
};

/** What lists say of the parts of a decision, as `lists.<list>.<part>`. */
export const LISTS_FACT: SubjectFact = {
  name: 'lists',
  typeOf: (document) => ({ kind: 'object', fields: new Map(listsOf(document).map((list) => [list, parts])) }),
  whole: [],
  isOfAll: true,
  whyAbsent: { none: 'no lists', unknown: 'lists unavailable' },
};

/** The lists that a document of any shape names, as far as they can be lists. */
export function listsOf(document: unknown): readonly string[] {
  const lists: unknown =
    typeof document === 'object' && document !== null ? Reflect.get(document, 'lists') : [];
  if (!Array.isArray(lists)) return [];
  return lists
    .filter((list): list is string => typeof list === 'string' && LIST_NAME.test(list))
    .slice(0, LISTS_MAX);
}
