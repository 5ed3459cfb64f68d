import type { ASTNode } from '@marcbachmann/cel-js';
import { namePathOf } from './name-path.ts';

/** The possible results of a condition are a set of bits: this one is of a condition that can be true. */
export const CAN_BE_TRUE = 1;
/** The bit of a condition that can be false. */
export const CAN_BE_FALSE = 2;
/** An error: the condition is unknown. */
export const CAN_BE_ERROR = 4;
const CAN_BE_VALUE = 8;

const ANY = CAN_BE_TRUE | CAN_BE_FALSE | CAN_BE_ERROR | CAN_BE_VALUE;

/**
 * All results that `node` can have when the variables and facts in `absent` do not exist and the rest can have
 * any value. It may include results that cannot happen, but never omits one that can. So a condition whose only
 * result is an error need not be evaluated, and one that cannot be true is inert.
 */
export function possibleResults(node: ASTNode, absent: ReadonlySet<string>): number {
  switch (node.op) {
    case 'value':
      return typeof node.args === 'boolean' ? (node.args ? CAN_BE_TRUE : CAN_BE_FALSE) : CAN_BE_VALUE;
    case 'id':
      return absent.has(node.args) ? CAN_BE_ERROR : ANY;
    case '!_':
      return negate(possibleResults(node.args, absent));
    case '&&':
      return conjunction(possibleResults(node.args[0], absent), possibleResults(node.args[1], absent));
    case '||':
      return negate(
        conjunction(
          negate(possibleResults(node.args[0], absent)),
          negate(possibleResults(node.args[1], absent)),
        ),
      );
    case '?:':
      return choice(node.args, absent);
    default:
      return isAbsentFact(node, absent) ? CAN_BE_ERROR : strict(strictOperands(node), absent);
  }
}

/** True for a fact that is a part of its variable. */
function isAbsentFact(node: ASTNode, absent: ReadonlySet<string>): boolean {
  const path = namePathOf(node);
  return path !== null && absent.has(path.join('.'));
}

/**
 * `possibleResults` of one node, for each set of absent variables once. A bit of the set stands for a place in
 * `sources`.
 */
export function memoisePossible(ast: ASTNode, sources: readonly string[]): (absentMask: number) => number {
  const known = new Map<number, number>();
  return (absentMask) => {
    let results = known.get(absentMask);
    if (results === undefined) {
      const absent = new Set(sources.filter((_, place) => absentMask & (1 << place)));
      results = possibleResults(ast, absent);
      known.set(absentMask, results);
    }
    return results;
  };
}

/** The nodes directly below `node`. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case 'list':
      return node.args;
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/**
 * The operands whose error is the node's error. For a method call this is only the receiver: the arguments of
 * a macro may never be evaluated.
 */
function strictOperands(node: ASTNode): readonly ASTNode[] {
  return node.op === 'rcall' ? [node.args[1]] : childrenOf(node);
}

function strict(operands: readonly ASTNode[], absent: ReadonlySet<string>): number {
  const fails = operands.some((operand) => possibleResults(operand, absent) === CAN_BE_ERROR);
  return fails ? CAN_BE_ERROR : ANY;
}

function negate(results: number): number {
  let negated = results & CAN_BE_ERROR;
  if (results & CAN_BE_TRUE) negated |= CAN_BE_FALSE;
  if (results & CAN_BE_FALSE) negated |= CAN_BE_TRUE;
  // Negating a value that is not a boolean is an error.
  return results & CAN_BE_VALUE ? negated | CAN_BE_ERROR : negated;
}

/** CEL's `&&`: false on either side is false even if the other is an error. */
function conjunction(left: number, right: number): number {
  const leftFails = left & (CAN_BE_ERROR | CAN_BE_VALUE);
  const rightFails = right & (CAN_BE_ERROR | CAN_BE_VALUE);
  let results = (left | right) & CAN_BE_FALSE;
  if (left & CAN_BE_TRUE && right & CAN_BE_TRUE) results |= CAN_BE_TRUE;
  if (leftFails && (rightFails || right & CAN_BE_TRUE)) results |= CAN_BE_ERROR;
  if (rightFails && left & CAN_BE_TRUE) results |= CAN_BE_ERROR;
  return results;
}

function choice(
  [condition, consequent, alternative]: readonly [ASTNode, ASTNode, ASTNode],
  absent: ReadonlySet<string>,
): number {
  const decided = possibleResults(condition, absent);
  let results = decided & (CAN_BE_ERROR | CAN_BE_VALUE) ? CAN_BE_ERROR : 0;
  if (decided & CAN_BE_TRUE) results |= possibleResults(consequent, absent);
  if (decided & CAN_BE_FALSE) results |= possibleResults(alternative, absent);
  return results;
}
