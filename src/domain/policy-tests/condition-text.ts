import { type ASTNode, parse, serialize } from '@marcbachmann/cel-js';
import { childrenOf } from '../policy/possible-results.ts';

/** The tree of a condition as it is written, with its parameters by name. It was checked when the policy was. */
export function parseCondition(when: string): ASTNode {
  return parse(when).ast;
}

/** The text of a tree, where reading it again gives the same tree; null where it does not. */
export function writeCondition(node: ASTNode): string | null {
  try {
    const text = serialize(node);
    return isSame(parse(text).ast, node) ? text : null;
  } catch {
    // A ParseError: what was written is no condition.
    return null;
  }
}

function isSame(left: ASTNode, right: ASTNode): boolean {
  if (left.op !== right.op || ownOf(left) !== ownOf(right)) return false;
  const [first, second] = [childrenOf(left), childrenOf(right)];
  return (
    first.length === second.length &&
    first.every((child, place) => {
      const other = second[place];
      return other !== undefined && isSame(child, other);
    })
  );
}

/** What a node says beside its operands: a value, a name. */
function ownOf({ op, args }: ASTNode): string {
  if (op === 'value' || op === 'id') return `${typeof args} ${String(args)}`;
  if (op === '.' || op === '.?') return args[1];
  return op === 'call' || op === 'rcall' ? args[0] : '';
}
/** A node of another operator or other operands, of which only those are read. */
export function nodeOf(op: ASTNode['op'], args: unknown): ASTNode {
  return { op, args } as ASTNode;
}
