import { type ASTNode, type Environment, serialize } from '@marcbachmann/cel-js';
import { type NetworkTest, SAFE_MATCHES } from './cel-environment.ts';
import { findUnknownNames, type KnownNames } from './find-unknown-names.ts';
import { inspectAddresses } from './inspect-address.ts';
import { inspectBound } from './inspect-bounds.ts';
import { namePathOf } from './name-path.ts';
import { plainEngine } from './plain-engine.ts';
import { childrenOf } from './possible-results.ts';
import { findFactField, variableOf } from './subject-fact.ts';
import { SUBJECT_FACTS } from './subject-facts.ts';
import { type CountriesOfTimeZone, inspectWorldCall } from './world-functions.ts';

/** What a parsed condition shows without being run. */
export interface Inspection {
  /** Providers and `request`, where the condition reads them or tests them for presence. */
  readonly variables: ReadonlySet<string>;
  /** What it reads of facts: by the name of a fact, names of its fields, joined by dots. */
  readonly factReads: ReadonlyMap<string, ReadonlySet<string>>;
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

const FACT_VARIABLES: ReadonlySet<string> = new Set(SUBJECT_FACTS.map(variableOf));

interface Findings {
  readonly source: string;
  readonly environment: Environment;
  readonly names: readonly string[];
  readonly known: KnownNames;
  readonly countriesOfTimeZone?: CountriesOfTimeZone | undefined;
  /**
   * Names of facts' variables that macros around the node bind, one for each macro. Older policies may use
   * them for their own variables.
   */
  readonly shadows: string[];
  readonly variables: Set<string>;
  readonly factReads: Map<string, Set<string>>;
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
  { names, known, countriesOfTimeZone }: Pick<Findings, 'names' | 'known' | 'countriesOfTimeZone'>,
): Inspection {
  const findings: Findings = {
    source,
    environment,
    names,
    known,
    countriesOfTimeZone,
    shadows: [],
    variables: new Set(),
    factReads: new Map(),
    outcomeReads: new Set(),
    patterns: [],
    networks: new Map(),
    replacements: [],
    mistakes: [],
  };
  visit(ast, findings, 0);
  const { variables, factReads, outcomeReads, patterns, networks, mistakes } = findings;
  return {
    variables,
    factReads,
    outcomeReads,
    patterns,
    networks,
    mistakes,
    runSource: rewrite(source, findings.replacements),
  };
}

function visit(node: ASTNode, findings: Findings, depth: number): void {
  let depthBelow = depth;
  if ((node.op === '.' || node.op === '[]') && (readsOutcome(node, findings) || readsFact(node, findings)))
    return;
  for (const { offset, mistake, network } of inspectAddresses(node)) {
    if (mistake !== undefined) refuse(findings, offset, mistake);
    if (network !== undefined) findings.networks.set(network.text, network.test);
  }
  const bound = inspectBound(node, (variable) => findings.shadows.includes(variable));
  if (bound !== null) refuse(findings, bound.offset, bound.message);
  const call = inspectWorldCall(node, findings.environment, findings.countriesOfTimeZone);
  if (call !== null) refuse(findings, call.offset, call.message);
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
  const shadow = node.op === 'rcall' ? boundName(node.args) : null;
  const shadowed = node.op === 'rcall' && FACT_VARIABLES.has(shadow ?? '') ? scopeOf(node.args) : [];
  for (const child of childrenOf(node)) {
    const isShadowed = shadow !== null && shadowed.includes(child);
    if (isShadowed) findings.shadows.push(shadow);
    visit(child, findings, depthBelow);
    if (isShadowed) findings.shadows.pop();
  }
}

function readVariable(node: Extract<ASTNode, { op: 'id' }>, findings: Findings): void {
  if (node.args === 'providers') refuse(findings, node.start, 'name the provider: providers.<id>.outcome');
  else if (isFactVariable(node, findings))
    refuse(findings, node.start, `name the signal: ${toPattern(node.args)}`);
  else if (findings.names.includes(node.args)) findings.variables.add(node.args);
}

/**
 * Fields of facts are read one by one and never through `has()`: a lost one is absent, and a condition must
 * not treat that as an answer.
 */
function readsFact(node: Extract<ASTNode, { op: '.' | '[]' }>, findings: Findings): boolean {
  const names = namePathOf(node) ?? [];
  if (findings.shadows.includes(names[0] ?? '')) return false;
  const read = findFactField(SUBJECT_FACTS, names);
  if (read === null) return false;
  const { name } = read.fact;
  findings.factReads.set(name, (findings.factReads.get(name) ?? new Set()).add(read.path.join('.')));
  return true;
}

function isFactVariable(node: ASTNode, { shadows }: Findings): boolean {
  return node.op === 'id' && FACT_VARIABLES.has(node.args) && !shadows.includes(node.args);
}

/** How the signals of a fact's variable are named: `telemetry.<signal>`. */
function toPattern(variable: string): string {
  const isDivided = SUBJECT_FACTS.some(({ name }) => name.startsWith(`${variable}.`));
  return isDivided ? `${variable}.<part>.<signal>` : `${variable}.<signal>`;
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
  const [variable = ''] = namePathOf(operand) ?? [];
  if (FACT_VARIABLES.has(variable) && !findings.shadows.includes(variable))
    refuse(
      findings,
      offset,
      `write the signal of ${variable} without has(): it is absent only where it was lost`,
    );
  // CEL accepts has() on a field that no schema declares: a misspelt signal would always be false.
  const checked = findings.environment.check(serialize(operand));
  if (checked.valid || checked.error === undefined) return;
  const unknown = findUnknownNames(operand, findings.known);
  const mistakes =
    unknown.length > 0 ? unknown : [{ offset: operand.start, message: plainEngine(checked.error) }];
  for (const { offset, message } of mistakes) refuse(findings, offset, message);
}

function inspectMethod(node: Extract<ASTNode, { op: 'rcall' }>, findings: Findings): void {
  const [name, receiver, operands] = node.args;
  const [first] = operands;
  const bound = boundName(node.args);
  if (first !== undefined && bound !== null && findings.names.includes(bound)) {
    refuse(findings, first.start, `"${bound}" is the name of a variable already`);
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

/** The name that a macro or `cel.bind()` gives to its own variable; null for any other method. */
function boundName([name, receiver, [first]]: MethodCall): string | null {
  const binds =
    COMPREHENSIONS.has(name) || (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel');
  return binds && first?.op === 'id' ? first.args : null;
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
