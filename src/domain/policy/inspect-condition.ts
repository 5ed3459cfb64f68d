import { type ASTNode, type Environment, serialize } from '@marcbachmann/cel-js';
import { type NetworkTest, SAFE_MATCHES, TELEMETRY } from './cel-environment.ts';
import { inspectAddresses } from './inspect-address.ts';
import { childrenOf } from './possible-results.ts';

/** What a parsed condition shows without being run. */
export interface Inspection {
  /** Variables that the condition reads or tests for presence, except `providers`. */
  readonly variables: ReadonlySet<string>;
  /** Providers whose outcome or suspicion the condition reads. */
  readonly outcomeReads: ReadonlySet<string>;
  /** The literal patterns given to `matches()`. */
  readonly patterns: readonly { readonly source: string; readonly offset: number }[];
  /** The literal networks given to `in_network()`, by their text. */
  readonly networks: ReadonlyMap<string, NetworkTest>;
  /** The condition with `matches()` replaced by the linear matcher. */
  readonly runSource: string;
  readonly mistakes: readonly { readonly offset: number; readonly message: string }[];
}

type MethodCall = Extract<ASTNode, { op: 'rcall' }>['args'];

/** The macros that walk a list. */
export const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map']);
/** With a third level, three lists of 1,000 literals would take a thousand million steps. */
const COMPREHENSION_DEPTH_MAX = 2;
/**
 * What can stand between a receiver and the name of its method. A comment there may contain that name too.
 */
const BEFORE_METHOD = /^(?:[\s).]|\/\/[^\n]*)*/;

interface Findings {
  readonly source: string;
  readonly environment: Environment;
  readonly names: readonly string[];
  /**
   * The number of macros around the node that bind the name of custody's variable. Older policies may use
   * that name for their own variables.
   */
  shadows: number;
  readonly variables: Set<string>;
  readonly outcomeReads: Set<string>;
  readonly patterns: { source: string; offset: number }[];
  readonly networks: Map<string, NetworkTest>;
  readonly replacements: { start: number; end: number }[];
  readonly mistakes: { offset: number; message: string }[];
}

/**
 * Inspects a type-checked condition: the variables that it depends on, and what CEL allows but a policy must
 * not do.
 */
export function inspectCondition(
  source: string,
  ast: ASTNode,
  environment: Environment,
  names: readonly string[],
): Inspection {
  const findings: Findings = {
    source,
    environment,
    names,
    shadows: 0,
    variables: new Set(),
    outcomeReads: new Set(),
    patterns: [],
    networks: new Map(),
    replacements: [],
    mistakes: [],
  };
  visit(ast, findings, 0);
  const { variables, outcomeReads, patterns, networks, mistakes } = findings;
  return {
    variables,
    outcomeReads,
    patterns,
    networks,
    mistakes,
    runSource: rewrite(source, findings.replacements),
  };
}

function visit(node: ASTNode, findings: Findings, depth: number): void {
  let depthBelow = depth;
  if ((node.op === '.' || node.op === '[]') && (readsOutcome(node, findings) || readsCustody(node, findings)))
    return;
  for (const { offset, mistake, network } of inspectAddresses(node)) {
    if (mistake !== undefined) refuse(findings, offset, mistake);
    if (network !== undefined) findings.networks.set(network.text, network.test);
  }
  if (node.op === 'id') readVariable(node, findings);
  if (node.op === '[]') refuseComputedIndex(node.args, findings);
  if (node.op === 'call') inspectCall(node.args, node.start, findings);
  if (node.op === 'rcall') {
    inspectMethod(node, findings);
    if (COMPREHENSIONS.has(node.args[0])) depthBelow += 1;
    if (depthBelow > COMPREHENSION_DEPTH_MAX) {
      refuse(findings, node.start, `lists are walked at most ${COMPREHENSION_DEPTH_MAX} levels deep`);
    }
  }
  const shadowed = node.op === 'rcall' && bindsName(node.args, TELEMETRY) ? scopeOf(node.args) : [];
  for (const child of childrenOf(node)) {
    const shadow = shadowed.includes(child) ? 1 : 0;
    findings.shadows += shadow;
    visit(child, findings, depthBelow);
    findings.shadows -= shadow;
  }
}

function readVariable(node: Extract<ASTNode, { op: 'id' }>, findings: Findings): void {
  if (node.args === 'providers') refuse(findings, node.start, 'name the provider: providers.<id>.outcome');
  else if (isCustody(node, findings)) refuse(findings, node.start, 'name the signal: telemetry.<signal>');
  else if (findings.names.includes(node.args)) findings.variables.add(node.args);
}

/**
 * Signals of custody are read one by one and never through `has()`: a lost signal is absent, and a condition
 * must not treat that as an answer.
 */
function readsCustody(node: Extract<ASTNode, { op: '.' | '[]' }>, findings: Findings): boolean {
  const [object, key] = node.args;
  if (!isCustody(object, findings) || (typeof key !== 'string' && key.op !== 'value')) return false;
  findings.variables.add(TELEMETRY);
  return true;
}

function isCustody(node: ASTNode, findings: Findings): boolean {
  return node.op === 'id' && node.args === TELEMETRY && findings.shadows === 0;
}

/**
 * Records a read of one provider's outcome or suspicion: `providers.stytch` or `providers["stytch"]`. The
 * type check has refused names that do not exist.
 */
function readsOutcome(node: Extract<ASTNode, { op: '.' | '[]' }>, findings: Findings): boolean {
  const [object, key] = node.args;
  if (object.op !== 'id' || object.args !== 'providers') return false;
  const name = typeof key === 'string' ? key : key.op === 'value' ? key.args : null;
  if (typeof name !== 'string') return false;
  findings.outcomeReads.add(name);
  return true;
}

function refuseComputedIndex([object, key]: readonly [ASTNode, ASTNode], findings: Findings): void {
  if (key.op === 'value') return;
  if (typeOf(object, findings)?.startsWith('list')) return;
  refuse(findings, key.start, 'an index that is computed cannot be checked; name the signal');
}

function inspectCall(
  [name, operands]: readonly [string, readonly ASTNode[]],
  offset: number,
  findings: Findings,
): void {
  if (name === 'dyn') refuse(findings, offset, 'dyn() would hide a signal from the type check');
  if (name === 'type') refuse(findings, offset, 'type() is not needed: the type of every signal is declared');
  const [operand] = operands;
  if (name !== 'has' || operand?.op !== '.') return;
  if (isCustody(operand.args[0], findings))
    refuse(
      findings,
      offset,
      'write the signal of telemetry without has(): it is absent only where it was lost',
    );
  // CEL accepts has() on a field that no schema declares: a misspelt signal would always be false.
  const checked = findings.environment.check(serialize(operand));
  if (!checked.valid && checked.error !== undefined) refuse(findings, operand.start, checked.error.summary);
}

function inspectMethod(node: Extract<ASTNode, { op: 'rcall' }>, findings: Findings): void {
  const [name, receiver, operands] = node.args;
  const [first] = operands;
  if (first?.op === 'id' && findings.names.includes(first.args) && bindsName(node.args, first.args)) {
    refuse(findings, first.start, `"${first.args}" is the name of a variable already`);
  }
  if (name !== 'matches' || first === undefined) return;
  if (first.op !== 'value' || typeof first.args !== 'string') {
    refuse(
      findings,
      first.start,
      'the pattern of matches() must be a literal, so that it is compiled with the policy',
    );
    return;
  }
  findings.patterns.push({ source: first.args, offset: first.start });
  const named = findings.source.slice(receiver.end).replace(BEFORE_METHOD, '');
  const start = findings.source.length - named.length;
  findings.replacements.push({ start, end: start + 'matches'.length });
}

/** True for a macro or `cel.bind()` whose own variable has this name. */
function bindsName([name, receiver, [first]]: MethodCall, bound: string): boolean {
  const binds =
    COMPREHENSIONS.has(name) || (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel');
  return binds && first?.op === 'id' && first.args === bound;
}

/**
 * The operands of a macro in which its own variable is defined: not the list that it walks, and not the value
 * that `cel.bind()` assigns.
 */
function scopeOf([name, , operands]: MethodCall): readonly ASTNode[] {
  return name === 'bind' ? operands.toSpliced(1, 1) : operands;
}

/** The checked type of a part of the condition; undefined where it needs a variable bound around it. */
function typeOf(node: ASTNode, findings: Findings): string | undefined {
  const checked = findings.environment.check(serialize(node));
  return checked.valid ? checked.type : undefined;
}

function refuse(findings: Findings, offset: number, message: string): void {
  findings.mistakes.push({ offset, message });
}

function rewrite(source: string, replacements: readonly { start: number; end: number }[]): string {
  return [...replacements]
    .sort((left, right) => right.start - left.start)
    .reduce((text, { start, end }) => text.slice(0, start) + SAFE_MATCHES + text.slice(end), source);
}
