import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import { childrenOf } from './possible-results.ts';
import { sampleSubjects } from './sample-subjects.ts';
import type { ObjectType } from './signal-type.ts';

type Evaluate = (evaluator: unknown, node: ASTNode, context: unknown) => unknown;

/**
 * The results of one part of a condition over all samples. `failure` is an error of the part itself, not of a
 * part within it.
 */
interface Watched {
  readonly offset: number;
  hasValue: boolean;
  failure: unknown;
}

/**
 * The parts of a condition that fail for every sample that reaches them: the rule would always be unknown.
 * `ast` gives the positions in the source. `probe` is a separate parse in the environment that the condition
 * runs in; do not use it again.
 */
export function findUnevaluable(
  ast: ASTNode,
  probe: ParseResult,
  variables: ReadonlyMap<string, ObjectType>,
): { readonly offset: number; readonly message: string }[] {
  const literals = { texts: new Set<string>(), integers: new Set<bigint>() };
  const watched: Watched[] = [];
  // Done before properties are added to the nodes, which would change the object shape that the engine is
  // optimised for.
  probe.check();
  const failures = new Set<unknown>();
  watchAll(ast, probe.ast, (offset, node) => {
    if (node.op === 'value') collect(node.args, literals);
    else if (node.op !== 'id') watched.push(watch(offset, node, failures));
  });
  let isEverKnown = false;
  for (const sample of sampleSubjects(variables, literals)) {
    isEverKnown = 'value' in attempt(() => probe(sample)) || isEverKnown;
    if (isEverKnown && watched.every(({ hasValue }) => hasValue)) return [];
  }
  const mistakes = watched
    .filter(({ hasValue, failure }) => !hasValue && failure !== undefined)
    .map(({ offset, failure }) => ({ offset, message: `can never be evaluated: ${summaryOf(failure)}` }));
  if (mistakes.length > 0 || isEverKnown) return mistakes;
  return [{ offset: ast.start, message: 'its parts can never be evaluated for one and the same subject' }];
}

/** Visits the parts that are evaluated. The two trees differ only in the name of the linear matcher. */
function watchAll(ast: ASTNode, running: ASTNode, visit: (offset: number, node: ASTNode) => void): void {
  visit(ast.start, running);
  if (running.op === 'call' && running.args[0] === 'has') return;
  const children = childrenOf(running);
  childrenOf(ast).forEach((child, place) => {
    const twin = children[place];
    if (twin !== undefined) watchAll(child, twin, visit);
  });
}

function collect(value: unknown, { texts, integers }: { texts: Set<string>; integers: Set<bigint> }): void {
  if (typeof value === 'string') texts.add(value);
  if (typeof value === 'bigint') integers.add(value);
}

/**
 * Observes the evaluation of one node. cel-js keeps the evaluating function on the node, and replaces it with
 * a faster one at the first call.
 */
function watch(offset: number, node: ASTNode, failures: Set<unknown>): Watched {
  const state: Watched = { offset, hasValue: false, failure: undefined };
  let evaluate = evaluateOf(node);
  const observe: Evaluate = (evaluator, self, context) => {
    const result = attempt(
      () => evaluateWhole(node, evaluator, context) ?? evaluate.call(node, evaluator, self, context),
    );
    const current = evaluateOf(node);
    if (current !== observe) evaluate = current;
    Reflect.set(node, 'evaluate', observe);
    if ('error' in result) {
      // The innermost part that throws an error is the one that failed; the parts around it only rethrow.
      if (!failures.has(result.error)) state.failure ??= result.error;
      failures.add(result.error);
    } else state.hasValue = true;
    return resultOf(result);
  };
  Reflect.set(node, 'evaluate', observe);
  return state;
}

/**
 * `&&`, `||` and `?:` with every operand evaluated, so that no part is skipped by short-circuiting; undefined
 * for any other node.
 */
function evaluateWhole(node: ASTNode, evaluator: unknown, context: unknown): unknown {
  const run = (part: ASTNode) => attempt(() => evaluateOf(part).call(part, evaluator, part, context));
  if (node.op === '?:') {
    const [condition, consequent, alternative] = node.args;
    const [whenTrue, whenFalse] = [run(consequent), run(alternative)];
    return resultOf(resultOf(run(condition)) === true ? whenTrue : whenFalse);
  }
  if (node.op !== '&&' && node.op !== '||') return undefined;
  const results = node.args.map(run);
  const settling = node.op === '||';
  if (results.some((result) => result.value === settling)) return settling;
  for (const result of results) resultOf(result);
  return !settling;
}

interface Attempt {
  readonly value?: unknown;
  readonly error?: unknown;
}

function attempt(run: () => unknown): Attempt {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
}

function resultOf(result: Attempt): unknown {
  if ('error' in result) throw result.error;
  return result.value;
}

function evaluateOf(node: ASTNode): Evaluate {
  // Not in the types of cel-js; `watch` says what it is.
  return Reflect.get(node, 'evaluate') as Evaluate;
}

/**
 * The engine's message without its excerpt of the source. It quotes the condition and the samples, never a
 * subject.
 */
function summaryOf(failure: unknown): string {
  const summary: unknown = Reflect.get(Object(failure), 'summary');
  return typeof summary === 'string' ? summary : String(failure);
}
