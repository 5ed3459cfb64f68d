import type { ASTNode } from '@marcbachmann/cel-js';
import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';
import { collectUses } from '../policy-analysis/signal-uses.ts';
import { compileConditions, type TestCompileOptions } from './condition-policies.ts';
import { parseCondition, writeCondition } from './condition-text.ts';
import type { JudgedCase } from './judge-cases.ts';
import { type PartResult, partResults } from './part-results.ts';

type Result = PartResult;

/** In how many cases something came to each. */
type ResultCounts = Readonly<Record<Result, number>>;

/** A part of a condition that decides which way the rest goes. */
interface BranchCoverage {
  /** Its text. */
  readonly text: string;
  /** In how many cases it was reached and came to each; null where it cannot be told alone. */
  readonly counts: ResultCounts | null;
}

/** What cases make of one rule. */
export interface RuleCoverage {
  readonly rule: string;
  readonly counts: ResultCounts;
  /** Those results that the rule can have: one that reads nothing that can be lost is never unknown. */
  readonly expected: readonly Result[];
  /** The operands of `&&`, `||`, `!` and `?:`, and the conditions of `?:`. Each goes both ways. */
  readonly branches: readonly BranchCoverage[];
}

/** How many of what there is the cases reach. */
export interface Share {
  readonly covered: number;
  readonly total: number;
}

/** What the cases of a policy reach. */
export interface Coverage {
  readonly rules: readonly RuleCoverage[];
  /** Of the results that rules can have. */
  readonly ofRules: Share;
  /** Of the ways that parts of conditions can go. */
  readonly ofBranches: Share;
}

/** Signals that every request has. */
const ALWAYS: ReadonlySet<string> = new Set([
  'request.telemetry_id_present',
  'request.device_id_present',
  'request.device_id_given',
]);
const WAYS = ['true', 'false'] as const;

/** What these cases reach of the rules of their policy, and of the conditions of each. */
export function measureCoverage(
  policy: CompiledPolicy,
  judged: readonly JudgedCase[],
  options: TestCompileOptions,
): Coverage {
  const trees = policy.rules.map(({ source }) => toTree(parseCondition(source.when)));
  const texts = trees.flatMap(atomsOf).flatMap(({ text }) => text ?? []);
  const { policies, places } = compileConditions(policy, texts, options);
  const counts = new Map<Tree, Record<Result, number>>();
  for (const { case: one } of judged) {
    const results = policies.map((each) => partResults(each, one.witness));
    const resultOf = (text: string): Result | null => {
      const [from, at] = places.get(text) ?? [];
      return results[from ?? -1]?.[at ?? -1] ?? null;
    };
    for (const tree of trees) walk(tree, resultOf, counts);
  }
  const rules = policy.rules.map((rule, place): RuleCoverage => {
    const branches = branchesOf(trees[place] ?? toTree(rule.ast));
    return {
      rule: rule.source.id,
      counts: countResults(judged, place),
      expected: canBeUnknown(rule) ? ['true', 'false', 'unknown'] : WAYS,
      branches: branches.map((each) => {
        const isTold = atomsOf(each).every(({ text }) => text !== null && places.has(text));
        return { text: textOf(each), counts: isTold ? (counts.get(each) ?? NONE) : null };
      }),
    };
  });
  const told = rules.flatMap(({ branches }) => branches.flatMap((branch) => branch.counts ?? []));
  return {
    rules,
    ofRules: shareOf(rules.flatMap((one) => one.expected.map((result) => one.counts[result]))),
    ofBranches: shareOf(told.flatMap((one) => WAYS.map((way) => one[way]))),
  };
}

const NONE: ResultCounts = { true: 0, false: 0, unknown: 0 };

function shareOf(counts: readonly number[]): Share {
  return { covered: counts.filter((count) => count > 0).length, total: counts.length };
}

function countResults(judged: readonly JudgedCase[], place: number): ResultCounts {
  const counts = { ...NONE };
  for (const { judgement } of judged) {
    const result = judgement.trace[place]?.result;
    if (result !== undefined && result !== 'inert') counts[result] += 1;
  }
  return counts;
}

function canBeUnknown({ ast }: CompiledRule): boolean {
  return [...collectUses(ast, new Map())].some((name) => !ALWAYS.has(name));
}

/** A condition as its junctions; what they join are atoms. */
interface Tree {
  readonly op: '&&' | '||' | '!_' | '?:' | 'atom';
  readonly node: ASTNode;
  /** Of an atom: null where it cannot be written alone. */
  readonly text: string | null;
  readonly parts: readonly Tree[];
}

function toTree(node: ASTNode): Tree {
  const of = (op: Tree['op'], parts: readonly ASTNode[]): Tree => ({
    op,
    node,
    text: null,
    parts: parts.map(toTree),
  });
  switch (node.op) {
    case '&&':
    case '||':
    case '?:':
      return of(node.op, node.args);
    case '!_':
      return of(node.op, [node.args]);
    default:
      return { op: 'atom', node, text: writeCondition(node), parts: [] };
  }
}

function atomsOf(tree: Tree): readonly Tree[] {
  return tree.op === 'atom' ? [tree] : tree.parts.flatMap(atomsOf);
}

/** Atoms, and the conditions of choices that are none. A condition without junctions is one branch. */
function branchesOf(tree: Tree): readonly Tree[] {
  if (tree.op === 'atom') return [tree];
  const own = tree.op === '?:' ? tree.parts.slice(0, 1).filter(({ op }) => op !== 'atom') : [];
  return [...own, ...tree.parts.flatMap(branchesOf)];
}

function textOf({ node }: Tree): string {
  return writeCondition(node) ?? node.input.slice(node.start, node.end);
}

/**
 * What a tree comes to, from left to right: an operand that the ones before it have settled is not reached. Counts
 * each part that is.
 */
function walk(
  tree: Tree,
  resultOf: (text: string) => Result | null,
  counts: Map<Tree, Record<Result, number>>,
): Result {
  const [first = tree, ...rest] = tree.parts;
  const of = (part: Tree): Result => walk(part, resultOf, counts);
  const result = ((): Result => {
    switch (tree.op) {
      case 'atom':
        return (tree.text === null ? null : resultOf(tree.text)) ?? 'unknown';
      case '!_':
        return negate(of(first));
      case '?:': {
        const way = of(first);
        const [yes = tree, no = tree] = rest;
        return way === 'unknown' ? way : of(way === 'true' ? yes : no);
      }
      case '&&':
        return conjunction(of(first), () => of(rest[0] ?? tree));
      case '||':
        return negate(conjunction(negate(of(first)), () => negate(of(rest[0] ?? tree))));
    }
  })();
  const known = counts.get(tree) ?? { ...NONE };
  known[result] += 1;
  counts.set(tree, known);
  return result;
}

function negate(result: Result): Result {
  return result === 'unknown' ? result : result === 'true' ? 'false' : 'true';
}

/** False on either side is false, even where the other is unknown. */
function conjunction(left: Result, right: () => Result): Result {
  if (left === 'false') return left;
  const second = right();
  return second === 'false' || left === 'true' ? second : left;
}
