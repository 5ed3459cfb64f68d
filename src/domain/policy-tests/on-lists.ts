import { LIST_PARTS } from '../lists/list-part.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { LISTS_FACT } from '../policy/list-signals.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';

/** The parts that are on a list, or for each part whether it is; `lost` is one that is unknown. */
type GivenList = readonly string[] | Readonly<Record<string, boolean | 'lost' | undefined>>;

/** What the lists of a policy say of a subject of which these parts are on them, and no others. */
export function onLists(
  { document }: Pick<CompiledPolicy, 'document'>,
  listed: Readonly<Record<string, GivenList>> = {},
): SubjectFacts {
  const lists = document.lists.map((list) => [
    list,
    Object.fromEntries(
      LIST_PARTS.flatMap((part) => {
        const isListed = readPart(listed[list], part);
        return isListed === 'lost' ? [] : [[part, isListed]];
      }),
    ),
  ]);
  return { [LISTS_FACT.name]: Object.fromEntries(lists) };
}

function readPart(list: GivenList = [], part: string): boolean | 'lost' {
  // The type guard of Array.isArray leaves out lists that are read only.
  if (Array.isArray(list)) return list.includes(part);
  return (list as Exclude<GivenList, readonly string[]>)[part] ?? false;
}
