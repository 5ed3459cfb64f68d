import type { ASTNode } from '@marcbachmann/cel-js';
import { isPlainList, type Operand, toLiteral, toOperand, toPresence } from './condition-operands.ts';
import type { EvidenceRow, RowLayout } from './evidence-row.ts';
import type { SignalType } from './signal-type.ts';

/**
 * A condition as a function. True or false only where the interpreter is certain to give the same; null where
 * it is certain to fail because a signal or a whole variable is absent. Undefined for everything else: values
 * of another type, other errors, and what is outside the subset.
 */
export type ConditionTest = (row: EvidenceRow) => boolean | null | undefined;

type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
type Comparable = string | number | boolean;
type Guard = (value: unknown) => value is Comparable;

const ASK: ConditionTest = () => undefined;

/** Compiles a checked condition. docs/adr/0055-conditions-as-closures.md says why the results are equal. */
export function toConditionTest(node: ASTNode, layout: RowLayout): ConditionTest {
  const toTest = (part: ASTNode) => toConditionTest(part, layout);
  switch (node.op) {
    case '!_':
      return negation(toTest(node.args));
    case '&&':
      return conjunction(toTest(node.args[0]), toTest(node.args[1]));
    case '||':
      return disjunction(toTest(node.args[0]), toTest(node.args[1]));
    case '?:':
      return choice(toTest(node.args[0]), toTest(node.args[1]), toTest(node.args[2]));
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return comparison(node.op, toOperand(node.args[0], layout), toOperand(node.args[1], layout));
    case 'in':
      return membership(toOperand(node.args[0], layout), node.args[1], layout);
    case 'call':
      return node.args[0] === 'has' ? (toPresence(node.args[1][0], layout) ?? ASK) : ASK;
    default:
      return truth(toOperand(node, layout));
  }
}

function negation(test: ConditionTest): ConditionTest {
  return (row) => {
    const value = test(row);
    return typeof value === 'boolean' ? !value : value;
  };
}

/** False on either side is false, even if the other side is an error. */
function conjunction(left: ConditionTest, right: ConditionTest): ConditionTest {
  return (row) => {
    const first = left(row);
    if (first === false) return false;
    const second = right(row);
    return second === false ? false : bothOf(first, second);
  };
}

/** True on either side is true, even if the other side is an error. */
function disjunction(left: ConditionTest, right: ConditionTest): ConditionTest {
  return (row) => {
    const first = left(row);
    if (first === true) return true;
    const second = right(row);
    return second === true ? true : bothOf(first, second);
  };
}

/** The result of two parts that do not settle the whole alone. */
function bothOf(first: boolean | null | undefined, second: boolean | null | undefined) {
  if (first === undefined || second === undefined) return undefined;
  return first === null || second === null ? null : first;
}

function choice(condition: ConditionTest, yes: ConditionTest, no: ConditionTest): ConditionTest {
  return (row) => {
    const decided = condition(row);
    if (typeof decided !== 'boolean') return decided;
    return decided ? yes(row) : no(row);
  };
}

function truth(operand: Operand | null): ConditionTest {
  if (operand?.type.kind !== 'bool') return ASK;
  const { read } = operand;
  return (row) => {
    const value = read(row);
    return typeof value === 'boolean' || value === null ? value : undefined;
  };
}

function comparison(op: Comparison, left: Operand | null, right: Operand | null): ConditionTest {
  const isValue = left && right && guardOf(op, left.type.kind, right.type.kind);
  if (!isValue) return ASK;
  const holds = COMPARISONS[op];
  return (row) => {
    const first = left.read(row);
    if (first === null) return null;
    if (!isValue(first)) return undefined;
    const second = right.read(row);
    if (second === null) return null;
    return isValue(second) ? holds(first, second) : undefined;
  };
}

const COMPARISONS: Readonly<Record<Comparison, (left: Comparable, right: Comparable) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/**
 * What both values must be for the interpreter to compare them as JavaScript does; null where the types never
 * are. An integer signal that holds a fraction is a double there: its order is the same, its equality is not.
 */
function guardOf(op: Comparison, left: SignalType['kind'], right: SignalType['kind']): Guard | null {
  const isOrder = op !== '==' && op !== '!=';
  const isNumeric = (kind: SignalType['kind']) => kind === 'int' || kind === 'double';
  if (isOrder && isNumeric(left) && isNumeric(right)) return isNumber;
  if (left !== right) return null;
  if (left === 'string') return isText;
  if (isOrder) return null;
  if (left === 'int') return isInteger;
  if (left === 'double') return isNumber;
  return left === 'bool' ? isBoolean : null;
}

const isText = (value: unknown) => typeof value === 'string';
const isNumber = (value: unknown) => typeof value === 'number';
const isBoolean = (value: unknown) => typeof value === 'boolean';
const isInteger = (value: unknown): value is number => Number.isInteger(value);

/** `in` a list of literals, or a text in a list of texts that is a signal. */
function membership(item: Operand | null, list: ASTNode, layout: RowLayout): ConditionTest {
  if (item === null) return ASK;
  if (list.op === 'list') return literalMembership(item, list.args);
  const texts = toOperand(list, layout);
  if (item.type.kind !== 'string' || texts?.type.kind !== 'list') return ASK;
  return (row) => {
    const value = item.read(row);
    if (value === null) return null;
    return typeof value === 'string' ? includesText(texts.read(row), value) : undefined;
  };
}

function literalMembership({ type, read }: Operand, list: readonly ASTNode[]): ConditionTest {
  const literals = list.map(toLiteral);
  const isValue = type.kind === 'string' || type.kind === 'int' ? guardOf('==', type.kind, type.kind) : null;
  if (isValue === null || literals.some((literal) => literal?.type.kind !== type.kind)) return ASK;
  const values = new Set(literals.map((literal) => literal?.value));
  return (row) => {
    const value = read(row);
    if (value === null) return null;
    return isValue(value) ? values.has(value) : undefined;
  };
}

/** Undefined unless every item is a text: the interpreter looks at the type of the first. */
function includesText(list: unknown, text: string): boolean | null | undefined {
  if (list === null) return null;
  if (!isPlainList(list)) return undefined;
  let isIncluded = false;
  for (const item of list) {
    if (typeof item !== 'string') return undefined;
    isIncluded ||= item === text;
  }
  return isIncluded;
}
