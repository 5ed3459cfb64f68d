import type { ASTNode } from '@marcbachmann/cel-js';
import { nodeOf } from './condition-text.ts';

/** A change of a condition, in words, and the tree that it makes. */
interface TreeChange {
  readonly what: string;
  readonly tree: ASTNode;
}

const COMPARISONS: Readonly<Record<string, readonly ASTNode['op'][]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '==': ['!='],
  '!=': ['=='],
};
const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%']);

/** Every small change of a condition: each changes one thing. */
export function* changesOf(node: ASTNode): Generator<TreeChange> {
  yield* changesHere(node);
  for (const [child, rebuild] of partsOf(node))
    for (const { what, tree } of changesOf(child)) yield { what, tree: rebuild(tree) };
}

function* changesHere(node: ASTNode): Generator<TreeChange> {
  switch (node.op) {
    case '&&':
    case '||': {
      const [left, right] = node.args;
      yield { what: `without an operand of ${node.op}`, tree: right };
      yield { what: `without an operand of ${node.op}`, tree: left };
      const other = node.op === '&&' ? '||' : '&&';
      yield { what: `${other} for ${node.op}`, tree: nodeOf(other, node.args) };
      return;
    }
    case '!_':
      yield { what: 'without a negation', tree: node.args };
      return;
    case '?:': {
      const [condition, yes, no] = node.args;
      yield { what: 'the branches exchanged', tree: nodeOf('?:', [condition, no, yes]) };
      yield { what: 'one branch always', tree: yes };
      yield { what: 'one branch always', tree: no };
      return;
    }
    case 'value':
      yield* literalsNear(node);
      return;
    case 'list':
      if (node.args.length > 1)
        for (const place of node.args.keys())
          yield { what: 'without an item', tree: nodeOf('list', node.args.toSpliced(place, 1)) };
      return;
    default:
      for (const op of COMPARISONS[node.op] ?? [])
        yield { what: `${op} for ${node.op}`, tree: nodeOf(op, node.args) };
      if (isTruth(node)) yield { what: 'negated', tree: nodeOf('!_', node) };
  }
}

/** What may be a condition by itself. Whether it is one shows when the mutant is compiled. */
function isTruth({ op }: ASTNode): boolean {
  return op === '.' || op === '[]' || op === 'in' || op === 'call' || op === 'rcall';
}

function* literalsNear({ args }: Extract<ASTNode, { op: 'value' }>): Generator<TreeChange> {
  if (typeof args === 'bigint') for (const step of [1n, -1n]) yield toLiteral(args + step);
  else if (typeof args === 'number') for (const step of [1, -1]) yield toLiteral(args + step);
  else if (typeof args === 'boolean') yield toLiteral(!args);
  else if (typeof args === 'string') yield toLiteral(`${args}~`);
}

/** The tree that the literal is read as: a minus is an operator. */
function toLiteral(value: bigint | number | string | boolean): TreeChange {
  const isNegative = (typeof value === 'bigint' || typeof value === 'number') && value < 0;
  const tree = isNegative ? nodeOf('-_', nodeOf('value', -value)) : nodeOf('value', value);
  return { what: 'another literal', tree };
}

type Part = readonly [ASTNode, (changed: ASTNode) => ASTNode];

/** The parts of a node that are changed by themselves, and how the node is put together again. */
function partsOf(node: ASTNode): readonly Part[] {
  switch (node.op) {
    case '!_':
    case '-_':
      return [[node.args, (changed) => nodeOf(node.op, changed)]];
    case 'list':
      return listed(node.args, (args) => nodeOf('list', args));
    case '&&':
    case '||':
    case '?:':
    case 'in':
      return listed(node.args, (args) => nodeOf(node.op, args));
    case 'call':
      // What is looked for in `has` is a name.
      if (node.args[0] === 'has') return [];
      return listed(node.args[1], (args) => nodeOf('call', [node.args[0], args]));
    case 'rcall':
      return listed(node.args[2], (args) => nodeOf('rcall', [node.args[0], node.args[1], args])).filter(
        ([child]) => child.op === 'value',
      );
    default:
      if (COMPARISONS[node.op] === undefined && !ARITHMETIC.has(node.op)) return [];
      // Of what is compared or calculated, the numbers and texts: a negated signal would be no number.
      return listed(node.args as readonly ASTNode[], (args) => nodeOf(node.op, args)).filter(
        ([child]) => !isTruth(child),
      );
  }
}

function listed(args: readonly ASTNode[], build: (args: readonly ASTNode[]) => ASTNode): readonly Part[] {
  return args.map((child, place): Part => [child, (changed) => build(args.with(place, changed))]);
}
