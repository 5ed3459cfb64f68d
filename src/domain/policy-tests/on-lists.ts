import { LIST_PARTS } from '../lists/list-part.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { LISTS_FACT } from '../policy/list-signals.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';

/** What the lists of a policy say of a subject of which these parts are on them, and no others. */
export function onLists(
  { document }: Pick<CompiledPolicy, 'document'>,
  listed: Readonly<Record<string, readonly string[]>> = {},
): SubjectFacts {
  const lists = document.lists.map((list) => [
    list,
    Object.fromEntries(LIST_PARTS.map((part) => [part, listed[list]?.includes(part) ?? false])),
  ]);
  return { [LISTS_FACT.name]: Object.fromEntries(lists) };
}
