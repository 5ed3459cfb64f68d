import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import {
  type CompiledLiterals,
  type PatternTest,
  type PolicyProvider,
  withFacts,
} from './cel-environment.ts';
import { CONDITION_STEPS_MAX, costOfCondition } from './condition-cost.ts';
import type { PolicyMistake } from './document.ts';
import { findUnevaluable } from './find-unevaluable.ts';
import { findUnknownNames, type KnownNames } from './find-unknown-names.ts';
import { foldParameters } from './fold-parameters.ts';
import { type Inspection, inspectCondition } from './inspect-condition.ts';
import type { Parameters } from './parameters.ts';
import { plainEngine, startOf } from './plain-engine.ts';
import type { ObjectType } from './signal-type.ts';
import { SUBJECT_FACTS } from './subject-facts.ts';
import type { CountriesOfTimeZone } from './world-functions.ts';

/**
 * What compiling needs from outside: the signal schemas in registry order, the content hash, and a matcher
 * that cannot hang (it throws on a pattern that is not valid).
 */
export interface CompileOptions {
  readonly providers: readonly PolicyProvider[];
  readonly hash: string;
  /** The text of the policy, where there is one. */
  readonly text?: string;
  readonly compilePattern: (source: string) => PatternTest;
  /** Without it a condition that asks for the countries of a time zone is refused. */
  readonly countriesOfTimeZone?: CountriesOfTimeZone;
}

/** What the conditions of one policy are compiled with, and the mistakes and cost so far. */
export interface CompileContext extends CompileOptions {
  /** The types of all variables but those of facts. */
  readonly signals: ReadonlyMap<string, ObjectType>;
  /** What conditions may name. */
  readonly known: KnownNames;
  /** The types of facts, by their names. */
  readonly facts: ReadonlyMap<string, ObjectType>;
  readonly checkEnvironment: Environment;
  readonly runEnvironment: Environment;
  readonly names: readonly string[];
  readonly literals: CompiledLiterals;
  readonly parameters: Parameters;
  readonly mistakes: PolicyMistake[];
  /** The most steps that the conditions so far can take together. */
  steps: number;
}

/** A condition that is type-checked, bounded in cost, and tried on sample subjects. */
export interface Condition {
  readonly ast: ASTNode;
  readonly inspection: Inspection;
  /** The names of the parameters that it reads. */
  readonly parameters: readonly string[];
  readonly run: ParseResult;
}

/** Compiles one condition. On failure, adds its mistakes to those of `context` and returns null. */
export function compileCondition(when: string, index: number, context: CompileContext): Condition | null {
  const before = context.mistakes.length;
  const folded = foldParameters(when, context.parameters, (source) => context.checkEnvironment.parse(source));
  const { text } = folded;
  const refuse = (place: number, message: string): null => {
    const offset = folded.toWritten(place);
    context.mistakes.push({ path: ['rules', index, 'when'], isKey: false, offset, message });
    return null;
  };
  for (const { offset, message } of folded.mistakes)
    context.mistakes.push({ path: ['rules', index, 'when'], isKey: false, offset, message });
  if (folded.isIncomplete || folded.mistakes.length > 0) return null;
  const checked = context.checkEnvironment.check(text);
  if (!checked.valid) {
    const unknown = findNameMistakes(text, context);
    for (const { offset, message } of unknown) refuse(offset, message);
    if (unknown.length > 0) return null;
    return refuse(startOf(checked.error), plainEngine(checked.error));
  }
  if (checked.type !== 'bool') return refuse(0, `is of type ${checked.type}, not bool`);
  const { ast } = context.checkEnvironment.parse(text);
  const inspection = inspectCondition(text, ast, context.checkEnvironment, context);
  for (const { offset, message } of inspection.mistakes) refuse(offset, message);
  for (const [text, test] of inspection.networks) context.literals.networks.set(text, test);
  for (const { source, offset } of inspection.patterns) {
    try {
      context.literals.patterns.set(source, context.compilePattern(source));
    } catch {
      // The matcher refuses what is not RE2 syntax: back-references and look-arounds can make a match hang.
      refuse(offset, 'is not a pattern in RE2 syntax (no look-around, no back-reference)');
    }
  }
  if (context.mistakes.length > before) return null;
  const tried = { outcomesRead: inspection.outcomeReads.size, completions: completionsOf(inspection) };
  const variables = variablesOf(context, inspection);
  const steps = costOfCondition(ast, context.literals.patterns, tried, variables);
  context.steps += steps;
  if (steps > CONDITION_STEPS_MAX) {
    const most = `${CONDITION_STEPS_MAX} are the most: use fewer or smaller lists, texts and patterns`;
    return refuse(ast.start, `can take ${steps} steps in one decision, and ${most}`);
  }
  const probe = context.runEnvironment.parse(inspection.runSource);
  for (const { offset, message } of findUnevaluable(ast, probe, variables)) refuse(offset, message);
  const run = context.runEnvironment.parse(inspection.runSource);
  return { ast, inspection, parameters: folded.names, run };
}

/** The type check stops at the first name that there is not, and does not say what was meant. */
function findNameMistakes(text: string, { checkEnvironment, known }: CompileContext) {
  try {
    return findUnknownNames(checkEnvironment.parse(text).ast, known);
  } catch {
    // A ParseError: the check has said what is wrong.
    return [];
  }
}

/** The most values that the fields of facts which it reads can be tried with together; 0 where there are none. */
function completionsOf({ factReads }: Inspection): number {
  let completions = 0;
  for (const { name, completionsMax } of SUBJECT_FACTS)
    for (const path of (completionsMax && factReads.get(name)) ?? [])
      completions = Math.max(1, completions) * (completionsMax?.(path.split('.')) ?? 1);
  return completions;
}

/** The variables with those fields of facts alone that the condition reads: there may be hundreds. */
function variablesOf(
  { signals, facts }: CompileContext,
  { factReads }: Inspection,
): ReadonlyMap<string, ObjectType> {
  const read = new Map<string, ObjectType>();
  for (const [name, paths] of factReads) {
    const names = new Set([...paths].map((path) => path.split('.', 1)[0]));
    const fields = [...(facts.get(name)?.fields ?? [])].filter(([field]) => names.has(field));
    read.set(name, { kind: 'object', fields: new Map(fields) });
  }
  return withFacts(signals, read);
}
