import { isMap, isNode, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { offsetInScalar } from './yaml-scalar-offset.ts';

/**
 * A node of a document, null where the path leads nowhere, and the offset at which what was looked for
 * stands.
 */
interface Place {
  readonly node: unknown;
  readonly offset: number;
}

/**
 * Finds the node at a path, its key where `isKey`, or the character `offset` of its text; the nearest parent
 * where there is none.
 */
export type Find = (
  path: readonly (string | number)[],
  options?: { readonly isKey?: boolean; readonly offset?: number | null },
) => Place;

/** Finds nodes by path. Each mapping is indexed once, when the first path leads through it. */
export function createFinder(root: Node | null, text: string): Find {
  const indexes = new Map<unknown, ReadonlyMap<string | number, Pair>>();
  const pairOf = (node: unknown, key: string | number): Pair | undefined => {
    if (!isMap(node)) return undefined;
    let index = indexes.get(node);
    if (index === undefined) {
      index = new Map(node.items.map((pair) => [String(isScalar(pair.key) ? pair.key.value : ''), pair]));
      indexes.set(node, index);
    }
    return index.get(String(key));
  };
  return (path, { isKey = false, offset = null } = {}) => {
    let node: unknown = root;
    let start = root?.range?.[0] ?? 0;
    for (const [depth, step] of path.entries()) {
      const pair = pairOf(node, step);
      if (pair && isKey && depth === path.length - 1)
        return { node: pair.key, offset: startOf(pair.key) ?? start };
      const child: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(step)] : undefined;
      if (child === undefined || child === null) return { node: null, offset: start };
      node = child;
      start = startOf(child) ?? start;
    }
    const inText = offset !== null && isScalar(node) ? offsetInScalar(node, offset, text) : null;
    return { node, offset: inText ?? start };
  };
}

/** The offset at which a node begins; undefined for what is none, or was not parsed. */
function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
