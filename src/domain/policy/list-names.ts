import type { ASTNode } from '@marcbachmann/cel-js';
import { LIST_PARTS } from '../lists/list-part.ts';
import { LISTS_FACT } from './list-signals.ts';
import { namePathOf } from './name-path.ts';
import { nearestName } from './nearest-name.ts';
import { childrenOf } from './possible-results.ts';

/** One place where a condition names a list or a part that there is not, and what is wrong with it. */
export function findUnknownList(
  ast: ASTNode,
  lists: readonly string[],
): { readonly offset: number; readonly message: string } | null {
  const [variable, list, part] = namePathOf(ast) ?? [];
  if (variable === LISTS_FACT.name && list !== undefined && !lists.includes(list))
    return { offset: ast.start, message: unknown(`list "${list}" under \`lists:\``, list, lists) };
  if (variable === LISTS_FACT.name && part !== undefined && !LIST_PARTS.some((each) => each === part))
    return { offset: ast.start, message: unknown(`part "${part}" of a list`, part, LIST_PARTS) };
  for (const child of childrenOf(ast)) {
    const found = findUnknownList(child, lists);
    if (found !== null) return found;
  }
  return null;
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = nearestName(name, known);
  return meant === null
    ? `there is no ${what}, but ${known.join(', ') || 'none'}`
    : `there is no ${what}: did you mean "${meant}"?`;
}
