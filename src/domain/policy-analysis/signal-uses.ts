import type { ASTNode } from '@marcbachmann/cel-js';
import { IN_NETWORK } from '../policy/cel-environment.ts';
import { namePathOf } from '../policy/name-path.ts';
import { childrenOf } from '../policy/possible-results.ts';

/** A constant that a signal can be compared with. */
export type Literal = string | number | boolean;

/** How conditions use the value of one signal. */
export interface SignalUse {
  /** From the variable inwards. */
  readonly path: readonly string[];
  /** What it is compared with. */
  readonly literals: Set<Literal>;
  /** The names of the signals that it is compared with. */
  readonly peers: Set<string>;
  /** The texts that it is searched for, and the networks that it is looked up in, by method and text. */
  readonly searches: Map<string, string>;
  /** Parts of conditions that may tell values apart which no literal does. */
  readonly opaque: Set<string>;
  /** True where a condition asks whether it is there. */
  isTested: boolean;
}

/** The uses of signals, by their names joined by dots. */
export type SignalUses = Map<string, SignalUse>;

const JUNCTIONS: ReadonlySet<string> = new Set(['&&', '||', '!_', '?:']);
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=']);
/** What texts come before and after a literal is without end: no few of them stand for all. */
const ORDERS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=']);
const SEARCHES: ReadonlySet<string> = new Set(['startsWith', 'endsWith', 'contains']);

/** Adds how this condition uses signals to `uses`, and returns the names of those that it reads. */
export function collectUses(ast: ASTNode, uses: SignalUses): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ASTNode): void => {
    if (JUNCTIONS.has(node.op)) {
      for (const child of childrenOf(node)) visit(child);
      return;
    }
    const read = pathsIn(node).map((path) => useOf(path, uses));
    for (const { path } of read) names.add(path.join('.'));
    if (!notePlain(node, uses)) for (const use of read) noteOpaque(node, use);
  };
  visit(ast);
  noteTests(ast, uses);
  return names;
}

function useOf(path: readonly string[], uses: SignalUses): SignalUse {
  const name = path.join('.');
  let use = uses.get(name);
  if (use === undefined) {
    use = {
      path,
      literals: new Set(),
      peers: new Set(),
      searches: new Map(),
      opaque: new Set(),
      isTested: false,
    };
    uses.set(name, use);
  }
  return use;
}

function noteTests(node: ASTNode, uses: SignalUses): void {
  const isTest = node.op === 'call' && node.args[0] === 'has';
  if (isTest) for (const path of pathsIn(node)) useOf(path, uses).isTested = true;
  for (const child of childrenOf(node)) noteTests(child, uses);
}

/** What such a part compares with is still worth a try. */
function noteOpaque(node: ASTNode, use: SignalUse): void {
  use.opaque.add(node.input.slice(node.start, node.end));
  for (const literal of literalsIn(node)) use.literals.add(literal);
}

/**
 * Notes a part whose result follows from the literals and peers that its signals are equal to or beyond, or
 * from one search. False for any other.
 */
function notePlain(node: ASTNode, uses: SignalUses): boolean {
  if (namePathOf(node) !== null || node.op === 'value') return true;
  if (node.op === 'call') {
    const [name, operands] = node.args;
    return name === 'has' || (name === IN_NETWORK && noteSearch(name, operands, uses));
  }
  if (node.op === 'rcall') {
    const [name, receiver, operands] = node.args;
    return SEARCHES.has(name) && noteSearch(name, [receiver, ...operands], uses);
  }
  const terms = termsOf(node);
  const paths = terms.flatMap((term) => {
    const path = namePathOf(term);
    return path === null ? [] : [path];
  });
  const literals = terms.flatMap((term) => literalOf(term) ?? []);
  if (terms.length === 0 || paths.length + literals.length !== terms.length) return false;
  if (ORDERS.has(node.op) && literals.some((literal) => typeof literal === 'string')) return false;
  const names = paths.map((path) => path.join('.'));
  for (const path of paths) {
    const use = useOf(path, uses);
    for (const literal of literals) use.literals.add(literal);
    for (const name of names) if (name !== path.join('.')) use.peers.add(name);
  }
  return true;
}

/** The sides of a comparison, or what stands before `in` and each item after it; none for any other node. */
function termsOf(node: ASTNode): readonly ASTNode[] {
  if (COMPARISONS.has(node.op)) return childrenOf(node);
  if (node.op !== 'in') return [];
  const [item, list] = node.args;
  if (list.op === 'list')
    return list.args.every((one) => literalOf(one) !== null) ? [item, ...list.args] : [];
  return literalOf(item) === null ? [] : [item, list];
}

function noteSearch(method: string, operands: readonly ASTNode[], uses: SignalUses): boolean {
  const [path, text] = [operands.slice(0, 1).map(namePathOf)[0] ?? null, operands.slice(1).map(literalOf)[0]];
  if (path === null || typeof text !== 'string') return false;
  useOf(path, uses).searches.set(`${method} ${text}`, text);
  return true;
}

/** Null for what is no literal, and for an integer that has no exact number. */
function literalOf(node: ASTNode): Literal | null {
  const inner = node.op === '-_' ? node.args : node;
  if (inner.op !== 'value') return null;
  const value: unknown = typeof inner.args === 'bigint' ? Number(inner.args) : inner.args;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER) return null;
  return node.op === '-_' ? -value : value;
}

function literalsIn(node: ASTNode): readonly Literal[] {
  const literal = literalOf(node);
  return literal === null ? childrenOf(node).flatMap(literalsIn) : [literal];
}

function pathsIn(node: ASTNode): readonly (readonly string[])[] {
  const path = namePathOf(node);
  return path === null ? childrenOf(node).flatMap(pathsIn) : [path];
}
