import type { ASTNode } from '@marcbachmann/cel-js';
import { SIGNAL_ITEMS_MAX } from '../evidence.ts';
import { IN_NETWORK, type PatternTest } from './cel-environment.ts';
import { COMPREHENSIONS } from './inspect-condition.ts';
import { childrenOf } from './possible-results.ts';
import type { ObjectType, SignalType } from './signal-type.ts';
import { isCountriesCall, ZONE_COUNTRIES_MAX } from './world-functions.ts';

/** The most steps that one condition may take. A step is about 0.2 µs, so this is 10 ms. */
export const CONDITION_STEPS_MAX = 50_000;
/** The most steps that all conditions of a policy may take together. */
export const POLICY_STEPS_MAX = 10 * CONDITION_STEPS_MAX;

/** An error is expensive: it has a stack, and its message quotes the source. */
const ERROR_STEPS = 100;
const CALL_STEPS = 5;
const NETWORK_STEPS = 20;
/** A conversion to a time zone asks the calendar twice. */
const TIME_ZONE_STEPS = 250;
/**
 * Work for each character: it is compared or copied, compared at each position of a search, or tried by each
 * instruction of a pattern. Instructions for large Unicode classes (`\pL`) take up to three times as long.
 */
const CHARS_PER_STEP = 128;
const SEARCHED_PER_STEP = 1024;
const INSTRUCTIONS_PER_STEP = 6;
/** The bound of all texts except the User-Agent. Longer ones are refused on arrival. */
const SIGNAL_CHARS_MAX = 256;
const USER_AGENT_CHARS_MAX = 1024;
/**
 * The definite outcomes that a provider whose evidence is lost could have had. A false condition is run again
 * with each.
 */
const OUTCOMES_TRIED = 4;

/** Whether it is true for all of them, false for all of them, or false where there is nothing. */
const COMPLETED_RUNS = 3;

/** How large a value can be: characters of a text, items of a list, fields of an object. */
interface Size {
  readonly chars: number;
  readonly items: number;
  readonly item: Size | null;
  readonly fields?: ReadonlyMap<string, Size>;
}

/** The most steps of a part, the size of its result, and whether it can fail. */
interface Cost {
  readonly steps: number;
  readonly size: Size;
  readonly canFail: boolean;
}

interface Scope {
  readonly patterns: ReadonlyMap<string, PatternTest>;
  readonly variables: ReadonlyMap<string, Size>;
  readonly bound: ReadonlyMap<string, Size>;
}

const SCALAR: Size = { chars: 0, items: 0, item: null };
const TEXT: Size = { chars: SIGNAL_CHARS_MAX, items: 0, item: null };
/** ISO 3166-1 alpha-2. */
const COUNTRIES: Size = { chars: 0, items: ZONE_COUNTRIES_MAX, item: { chars: 2, items: 0, item: null } };
const USER_AGENT: Size = { chars: USER_AGENT_CHARS_MAX, items: 0, item: null };

/**
 * The most steps that a condition can take, for the largest subjects and the worst combination of missing
 * evidence. It is counted, not measured, so it is the same on every machine. `outcomesRead` is the number of
 * providers whose outcome the condition reads, and `completions` that of the values which fields of facts can be
 * tried with.
 */
export function costOfCondition(
  ast: ASTNode,
  patterns: ReadonlyMap<string, PatternTest>,
  { outcomesRead, completions }: { readonly outcomesRead: number; readonly completions: number },
  variables: ReadonlyMap<string, ObjectType>,
): number {
  const sizes = new Map([...variables].map(([name, type]) => [name, sizeOfSignal(type)]));
  const { steps } = costOf(ast, { patterns, variables: sizes, bound: new Map() });
  const states = outcomesRead === 0 ? 1 : 1 + OUTCOMES_TRIED ** outcomesRead;
  return Math.ceil((steps + ERROR_STEPS) * states * (1 + COMPLETED_RUNS * completions));
}

function costOf(node: ASTNode, scope: Scope): Cost {
  switch (node.op) {
    case 'value':
      return { steps: 1, size: sizeOfLiteral(node.args), canFail: false };
    case 'id':
      return {
        steps: 1,
        size: scope.bound.get(node.args) ?? scope.variables.get(node.args) ?? SCALAR,
        canFail: !scope.bound.has(node.args),
      };
    case 'rcall':
      return costOfMethod(node, scope);
    case '.':
    case '[]':
      return costOfAccess(node, scope);
    case '&&':
    case '||': {
      const parts = node.args.map((part) => costOf(part, scope));
      // The error of one side is caught before the other side is evaluated.
      return { ...combine(parts, parts[0]?.canFail ? ERROR_STEPS : 1), size: SCALAR };
    }
    default: {
      const parts = childrenOf(node).map((part) => costOf(part, scope));
      const canFail = node.op === 'call' || node.op === '/' || node.op === '%';
      const { steps, canFail: partsCanFail } = combine(parts, ownSteps(node, parts));
      const size = isCountriesCall(node) ? COUNTRIES : sizeOf(node, parts);
      return { steps, size, canFail: canFail || partsCanFail };
    }
  }
}

/** The cost of all parts in sequence. */
function combine(parts: readonly Cost[], own: number): Omit<Cost, 'size'> {
  return {
    steps: parts.reduce((total, { steps }) => total + steps, own),
    canFail: parts.some((part) => part.canFail),
  };
}

function sizeOf({ op }: ASTNode, parts: readonly Cost[]): Size {
  const sizes = parts.map(({ size }) => size);
  switch (op) {
    case '+':
      return {
        chars: sum(sizes.map(({ chars }) => chars)),
        items: sum(sizes.map(({ items }) => items)),
        item: largest(sizes.flatMap(({ item }) => item ?? [])),
      };
    case 'list':
    case 'map':
      return { chars: 0, items: parts.length, item: largest(sizes) };
    case '?:':
    case 'call':
      return largest(sizes) ?? SCALAR;
    default:
      return SCALAR;
  }
}

function ownSteps(node: ASTNode, parts: readonly Cost[]): number {
  if (node.op === 'call') {
    if (node.args[0] === IN_NETWORK) return NETWORK_STEPS;
    return CALL_STEPS + sum(parts.map(({ size }) => weightOf(size)));
  }
  const isReading = node.op === '?:' || node.op === '!_' || node.op === 'list' || node.op === 'map';
  return isReading ? 1 + parts.length : 1 + sum(parts.map(({ size }) => weightOf(size)));
}

function costOfAccess(node: Extract<ASTNode, { op: '.' | '[]' }>, scope: Scope): Cost {
  const [object, key] = node.args;
  const name: unknown = typeof key === 'string' || key.op !== 'value' ? key : key.args;
  const from = costOf(object, scope);
  const steps = from.steps + 1 + (typeof key === 'string' ? 0 : costOf(key, scope).steps);
  const field = typeof name === 'string' ? from.size.fields?.get(name) : undefined;
  return { steps, size: field ?? from.size.item ?? from.size, canFail: true };
}

function costOfMethod(node: Extract<ASTNode, { op: 'rcall' }>, scope: Scope): Cost {
  const [name, receiver, operands] = node.args;
  const [first, second] = operands;
  const on = costOf(receiver, scope);
  if (first?.op === 'id' && name === 'bind' && second !== undefined) {
    const value = costOf(second, scope);
    const body = costOf(operands.at(-1) ?? second, bind(scope, first.args, value.size));
    return { ...body, steps: value.steps + body.steps + 1, canFail: value.canFail || body.canFail };
  }
  if (first?.op === 'id' && COMPREHENSIONS.has(name))
    return costOfWalk(on, operands.slice(1), bind(scope, first.args, on.size.item ?? on.size), name);
  const parts = [on, ...operands.map((operand) => costOf(operand, scope))];
  return {
    ...combine(parts, CALL_STEPS + methodSteps(name, parts, first, scope)),
    size: resultOf(name, parts),
  };
}

/** Each item can fail. `all` and `exists` go on after a failure, so each one costs an error. */
function costOfWalk(on: Cost, bodies: readonly ASTNode[], scope: Scope, name: string): Cost {
  const parts = bodies.map((body) => costOf(body, scope));
  const { steps, canFail } = combine(parts, 1);
  const failure = canFail && (name === 'all' || name === 'exists') ? ERROR_STEPS : 0;
  const item = name === 'map' ? (parts.at(-1)?.size ?? SCALAR) : (on.size.item ?? on.size);
  return {
    steps: on.steps + on.size.items * (steps + failure) + 1,
    size: { chars: 0, items: on.size.items, item },
    canFail: on.canFail || canFail,
  };
}

function methodSteps(
  name: string,
  [on, other]: readonly Cost[],
  first: ASTNode | undefined,
  scope: Scope,
): number {
  const { chars } = on?.size ?? SCALAR;
  if (name === 'matches' && first?.op === 'value') {
    const instructions = scope.patterns.get(String(first.args))?.instructions ?? 0;
    return ((chars + 1) * instructions) / INSTRUCTIONS_PER_STEP;
  }
  if (name.startsWith('get')) return TIME_ZONE_STEPS;
  const isSearch = name === 'contains' || name === 'indexOf' || name === 'lastIndexOf';
  const search = isSearch ? (chars * (other?.size.chars ?? 0)) / SEARCHED_PER_STEP : 0;
  return search + (name === 'split' ? chars : weightOf(on?.size ?? SCALAR));
}

function resultOf(name: string, [on, other]: readonly Cost[]): Size {
  const { chars, items, item } = on?.size ?? SCALAR;
  if (name === 'split') return { chars: 0, items: chars + 1, item: { chars, items: 0, item: null } };
  if (name === 'join')
    return { chars: items * ((item?.chars ?? 0) + (other?.size.chars ?? 0)), items: 0, item: null };
  return { chars, items: 0, item: null };
}

/** The steps to compare or copy a value: its characters, and those of its items. */
function weightOf({ chars, items, item }: Size): number {
  return chars / CHARS_PER_STEP + (item === null ? 0 : items * (1 + item.chars / CHARS_PER_STEP));
}

function bind(scope: Scope, name: string, size: Size): Scope {
  return { ...scope, bound: new Map([...scope.bound, [name, size]]) };
}

function sizeOfSignal(type: SignalType, name = ''): Size {
  switch (type.kind) {
    case 'object':
      return {
        ...SCALAR,
        fields: new Map([...type.fields].map(([key, field]) => [key, sizeOfSignal(field, key)])),
      };
    case 'list':
      return { chars: 0, items: SIGNAL_ITEMS_MAX, item: sizeOfSignal(type.item) };
    case 'string':
      return name === 'user_agent' ? USER_AGENT : TEXT;
    default:
      return SCALAR;
  }
}

function sizeOfLiteral(value: unknown): Size {
  return typeof value === 'string' ? { chars: value.length, items: 0, item: null } : SCALAR;
}

function largest(sizes: readonly Size[]): Size | null {
  return sizes.reduce<Size | null>(
    (most, size) => (most === null || size.chars + size.items > most.chars + most.items ? size : most),
    null,
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
