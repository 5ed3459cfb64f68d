import type { ASTNode } from '@marcbachmann/cel-js';
import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';

/**
 * True where a policy is never ALLOW when a condition is true, as one BLOCK rule shows as it is written: all
 * that the condition is a choice of, the rule is a choice of too, so that the rule is not false. True it is a
 * BLOCK; unknown, for an error of another of its choices, it is a CHALLENGE at least. False says nothing. Costs
 * next to nothing, and no steps.
 */
export function isBlockedByOne({ rules }: CompiledPolicy, condition: CompiledRule): boolean {
  if (rules.some(({ source }) => source.exempt)) return false;
  const asserted = choicesOf(condition.ast);
  return rules.some(({ source: { verdict, on_unknown: onUnknown }, ast }) => {
    if (verdict !== 'BLOCK' || onUnknown === 'IGNORE') return false;
    const choices = choicesOf(ast);
    return asserted.every((one) => choices.some((choice) => isAlike(one, choice)));
  });
}

/** What `||` joins. */
function choicesOf(node: ASTNode): readonly ASTNode[] {
  return node.op === '||' ? node.args.flatMap(choicesOf) : [node];
}

/** Whether two parts are the same but for spaces and brackets. The library's own text of a number is rounded. */
function isAlike(left: unknown, right: unknown): boolean {
  if (Array.isArray(left))
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((each, place) => isAlike(each, right[place]))
    );
  if (isNode(left)) return isNode(right) && left.op === right.op && isAlike(left.args, right.args);
  return Object.is(left, right);
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === 'object' && part !== null && 'op' in part && 'args' in part;
}
