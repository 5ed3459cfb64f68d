import type { ASTNode } from '@marcbachmann/cel-js';
import { LIST_PARTS } from '../lists/list-part.ts';
import { LISTS_FACT } from './list-signals.ts';
import { namePathOf } from './name-path.ts';
import { nearestName } from './nearest-name.ts';

/** What is wrong with this name of a list and a part, where there is no such list or part; null otherwise. */
export function findUnknownList(
  ast: ASTNode,
  lists: readonly string[],
): { readonly offset: number; readonly message: string } | null {
  const [variable, list, part] = namePathOf(ast) ?? [];
  if (variable === LISTS_FACT.name && list !== undefined && !lists.includes(list))
    return { offset: ast.start, message: unknown(`list "${list}" under \`lists:\``, list, lists) };
  if (variable === LISTS_FACT.name && part !== undefined && !LIST_PARTS.some((each) => each === part))
    return { offset: ast.start, message: unknown(`part "${part}" of a list`, part, LIST_PARTS) };
  return null;
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = nearestName(name, known);
  return meant === null
    ? `there is no ${what}, but ${known.join(', ') || 'none'}`
    : `there is no ${what}: did you mean "${meant}"?`;
}
