import type { ASTNode, Environment, ParseResult } from '@marcbachmann/cel-js';
import type { CompiledLiterals, PatternTest, PolicyProvider } from './cel-environment.ts';
import { CONDITION_STEPS_MAX, costOfCondition } from './condition-cost.ts';
import type { PolicyMistake } from './document.ts';
import { findUnevaluable } from './find-unevaluable.ts';
import { type Inspection, inspectCondition } from './inspect-condition.ts';
import type { ObjectType } from './signal-type.ts';

/** What compiling needs from outside: the signal schemas in registry order, the content hash, and a matcher that cannot hang (it throws on a pattern that is not valid). */
export interface CompileOptions {
  readonly providers: readonly PolicyProvider[];
  readonly hash: string;
  readonly compilePattern: (source: string) => PatternTest;
}

/** What the conditions of one policy are compiled with, and what came of it so far. */
export interface Workshop extends CompileOptions {
  readonly variables: ReadonlyMap<string, ObjectType>;
  readonly checkEnvironment: Environment;
  readonly runEnvironment: Environment;
  readonly names: readonly string[];
  readonly literals: CompiledLiterals;
  readonly mistakes: PolicyMistake[];
  /** What all conditions so far can cost. */
  steps: number;
}

/** A condition that was checked, its cost bounded and each part tried out. */
export interface Condition {
  readonly ast: ASTNode;
  readonly inspection: Inspection;
  readonly run: ParseResult;
}

/** Compiles one condition; null with its mistakes added to those of the workshop. */
export function compileCondition(when: string, index: number, workshop: Workshop): Condition | null {
  const before = workshop.mistakes.length;
  const checked = workshop.checkEnvironment.check(when);
  const refuse = (offset: number | null, message: string): null => {
    workshop.mistakes.push({ path: ['rules', index, 'when'], isKey: false, offset, message });
    return null;
  };
  if (!checked.valid)
    return refuse(checked.error?.range?.start ?? 0, checked.error?.summary ?? 'is not valid CEL');
  if (checked.type !== 'bool') return refuse(0, `is of type ${checked.type}, not bool`);
  const { ast } = workshop.checkEnvironment.parse(when);
  const inspection = inspectCondition(when, ast, workshop.checkEnvironment, workshop.names);
  for (const { offset, message } of inspection.mistakes) refuse(offset, message);
  for (const [text, test] of inspection.networks) workshop.literals.networks.set(text, test);
  for (const { source, offset } of inspection.patterns) {
    try {
      workshop.literals.patterns.set(source, workshop.compilePattern(source));
    } catch {
      // The matcher refuses what is not RE2 syntax: back-references and look-arounds are what makes a match hang.
      refuse(offset, 'is not a pattern in RE2 syntax (no look-around, no back-reference)');
    }
  }
  if (workshop.mistakes.length > before) return null;
  const outcomes = inspection.outcomeReads.size;
  const steps = costOfCondition(ast, workshop.literals.patterns, outcomes, workshop.variables);
  workshop.steps += steps;
  if (steps > CONDITION_STEPS_MAX) {
    const most = `${CONDITION_STEPS_MAX} are the most: use fewer or smaller lists, texts and patterns`;
    return refuse(ast.start, `can take ${steps} steps in one decision, and ${most}`);
  }
  const probe = workshop.runEnvironment.parse(inspection.runSource);
  for (const { offset, message } of findUnevaluable(ast, probe, workshop.variables)) refuse(offset, message);
  return { ast, inspection, run: workshop.runEnvironment.parse(inspection.runSource) };
}
