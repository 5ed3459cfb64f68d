import type { ASTNode } from '@marcbachmann/cel-js';
import type { z } from 'zod';
import { failure, type Result, success } from '../result.ts';
import {
  type CompiledLiterals,
  createCheckEnvironment,
  createRunEnvironment,
  type PolicyProvider,
  TELEMETRY,
  variableNames,
  variableTypes,
} from './cel-environment.ts';
import type { ConditionTest } from './closures.ts';
import {
  type CompileContext,
  type CompileOptions,
  type Condition,
  compileCondition,
} from './compile-condition.ts';
import { POLICY_STEPS_MAX } from './condition-cost.ts';
import {
  type PolicyDocument,
  type PolicyMistake,
  type PolicyRule,
  policyDocumentSchema,
} from './document.ts';
import { toRowLayout } from './evidence-row.ts';
import { readParameters, unreadParameters } from './parameters.ts';
import { possibleResults } from './possible-results.ts';
import { ABSENT_SIGNAL, type RuleTrace, toUnknown } from './rule-trace.ts';
import { createToRunValues, type ToRunValues } from './run-values.ts';
import { findSignalsRead, type SignalsRead } from './signals-read.ts';

/**
 * A rule that is ready to run. `run` throws where the condition is unknown. `test` is faster, and undefined
 * where only `run` can tell.
 */
export interface CompiledRule {
  readonly source: PolicyRule;
  /**
   * Indexes, in provider order, of the providers whose signals the condition reads. Custody comes after the
   * last provider.
   */
  readonly signalReads: readonly number[];
  /** Indexes of the providers whose outcome or suspicion the condition reads. */
  readonly outcomeReads: readonly number[];
  /** Ids of the providers that it reads in either way; reasons name them. */
  readonly providers: readonly string[];
  /** The names of the parameters that it reads. */
  readonly parameters: readonly string[];
  readonly ast: ASTNode;
  readonly test: ConditionTest;
  readonly run: (context: Readonly<Record<string, unknown>>) => unknown;
  /**
   * The results that the condition can have when the providers in the bit set `absentMask` have no signals;
   * see possible-results.ts.
   */
  readonly possible: (absentMask: number) => number;
  /** The rule's line in the trace when it is true, and when it is false. */
  readonly trueTrace: RuleTrace;
  readonly falseTrace: RuleTrace;
  /** Its line when it reads a signal that is absent from evidence that is there. */
  readonly absentTrace: RuleTrace;
}

/** A policy whose every condition has been checked. Immutable. */
export interface CompiledPolicy {
  readonly id: string;
  /** `sha256:` and the hex digest of the file. */
  readonly hash: string;
  readonly document: PolicyDocument;
  readonly rules: readonly CompiledRule[];
  readonly providerIds: readonly string[];
  /**
   * Bit set of the providers, then custody, that some rule reads. A decision that lacks one of them is
   * degraded.
   */
  readonly neededMask: number;
  readonly signalsRead: SignalsRead;
  /** For each variable, the conversion of its signals to the values that rules run on. */
  readonly toRunValues: ReadonlyMap<string, ToRunValues>;
}

/** True when some rule reads custody, whose bit follows that of the last provider. */
export function readsCustody({ neededMask, providerIds }: CompiledPolicy): boolean {
  return (neededMask & (1 << providerIds.length)) !== 0;
}

/** Compiles a parsed policy file, or returns every mistake in it. */
export function compilePolicy(
  document: unknown,
  options: CompileOptions,
): Result<CompiledPolicy, PolicyMistake> {
  const steps = compileInSteps(document, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As compilePolicy, with a yield after each condition. One condition takes milliseconds at most. */
export function* compileInSteps(
  document: unknown,
  options: CompileOptions,
): Generator<undefined, Result<CompiledPolicy, PolicyMistake>> {
  const literals: CompiledLiterals = { patterns: new Map(), networks: new Map() };
  const variables = variableTypes(options.providers);
  const context: CompileContext = {
    ...options,
    variables,
    layout: toRowLayout(
      options.providers.map(({ id }) => id),
      variables,
    ),
    checkEnvironment: createCheckEnvironment(variables),
    runEnvironment: createRunEnvironment(variables.keys(), literals),
    names: variableNames(options.providers),
    literals,
    parameters: readParameters(document),
    mistakes: [],
    steps: 0,
  };
  const parsed = policyDocumentSchema.safeParse(document);
  if (!parsed.success) context.mistakes.push(...parsed.error.issues.flatMap(toMistakes));
  const conditions: (Condition | null)[] = [];
  for (const { index, when } of conditionsOf(document)) {
    conditions.push(compileCondition(when, index, context));
    yield;
  }
  refuseDuplicates(document, context.mistakes);
  if (context.steps > POLICY_STEPS_MAX && context.mistakes.length === 0) {
    const message = `can take ${context.steps} steps together in one decision, and ${POLICY_STEPS_MAX} are the most`;
    context.mistakes.push({ path: ['rules'], isKey: true, offset: null, message });
  }
  if (!parsed.success) return failure(context.mistakes);
  const rules = parsed.data.rules.map((rule, index) => toRule(rule, index, conditions[index], context));
  if (context.mistakes.length === 0) refuseUnreadParameters(context);
  if (context.mistakes.length > 0) return failure(context.mistakes);
  return success(
    toPolicy(
      parsed.data,
      rules.filter((rule) => rule !== null),
      context,
    ),
  );
}

function toRule(
  rule: PolicyRule,
  index: number,
  condition: Condition | null | undefined,
  context: CompileContext,
): CompiledRule | null {
  if (!condition) return null;
  const { ast, inspection, parameters, run, test } = condition;
  if (rule.exempt && rule.verdict !== 'ALLOW') {
    refuseRule(context, index, 'verdict', 'an exempt rule ends with ALLOW, so its verdict is ALLOW');
  }
  // An outage or a suspicion could make such a rule true, and so turn a stricter verdict into ALLOW.
  if (rule.verdict === 'ALLOW' && inspection.outcomeReads.size > 0) {
    refuseRule(
      context,
      index,
      'when',
      'a rule with the verdict ALLOW must not depend on the outcome of a provider, or on whether it is suspect',
    );
  }
  const indexesOf = (names: ReadonlySet<string>) =>
    sourcesOf(context.providers).flatMap((source, place) => (names.has(source) ? [place] : []));
  const signalReads = indexesOf(inspection.variables);
  const outcomeReads = indexesOf(inspection.outcomeReads);
  const providers = context.providers
    .filter((_, place) => signalReads.includes(place) || outcomeReads.includes(place))
    .map((provider) => provider.id);
  return {
    source: rule,
    signalReads,
    outcomeReads,
    providers: Object.freeze(providers),
    parameters,
    ast,
    test,
    run,
    possible: memoisePossible(ast, context.providers),
    trueTrace: Object.freeze({ rule: rule.id, result: 'true' }),
    falseTrace: Object.freeze({ rule: rule.id, result: 'false' }),
    absentTrace: toUnknown(rule, ABSENT_SIGNAL),
  };
}

/** The variables whose evidence can be missing, in the order of their bits: every provider, then custody. */
function sourcesOf(providers: readonly PolicyProvider[]): readonly string[] {
  return [...providers.map(({ id }) => id), TELEMETRY];
}

function memoisePossible(ast: ASTNode, providers: readonly PolicyProvider[]): (absentMask: number) => number {
  const known = new Map<number, number>();
  return (absentMask) => {
    let results = known.get(absentMask);
    if (results === undefined) {
      const absent = new Set(sourcesOf(providers).filter((_, place) => absentMask & (1 << place)));
      results = possibleResults(ast, absent);
      known.set(absentMask, results);
    }
    return results;
  };
}

function toPolicy(
  document: PolicyDocument,
  rules: readonly CompiledRule[],
  context: CompileContext,
): CompiledPolicy {
  let neededMask = 0;
  for (const rule of rules)
    for (const place of [...rule.signalReads, ...rule.outcomeReads]) neededMask |= 1 << place;
  const signalsRead = findSignalsRead(
    rules.map(({ ast }) => ast),
    context.providers.map(({ id }) => id),
  );
  return {
    id: document.policy,
    hash: context.hash,
    document,
    rules,
    providerIds: context.providers.map(({ id }) => id),
    neededMask,
    signalsRead,
    toRunValues: new Map(
      [...context.variables].map(([name, type]) => [
        name,
        createToRunValues(type, signalsRead.get(name) ?? null),
      ]),
    ),
  };
}

function refuseRule(context: CompileContext, index: number, field: string, message: string): void {
  context.mistakes.push({ path: ['rules', index, field], isKey: false, offset: null, message });
}

function refuseUnreadParameters({ parameters, mistakes }: CompileContext): void {
  for (const name of unreadParameters(parameters)) {
    const message = `no rule reads params.${name}: use it or remove it`;
    mistakes.push({ path: ['parameters', name], isKey: true, offset: null, message });
  }
}

/**
 * The conditions in `document`, whatever its shape, so that their mistakes are reported together with those
 * in the shape.
 */
function conditionsOf(document: unknown): { index: number; when: string }[] {
  return rulesOf(document).map((rule, index) => ({ index, when: textField(rule, 'when') ?? 'false' }));
}

function refuseDuplicates(document: unknown, mistakes: PolicyMistake[]): void {
  const seen = new Set<string>();
  rulesOf(document).forEach((rule, index) => {
    const id = textField(rule, 'id');
    if (id === null) return;
    if (seen.has(id)) {
      mistakes.push({
        path: ['rules', index, 'id'],
        isKey: false,
        offset: null,
        message: `duplicate rule id "${id}"`,
      });
    }
    seen.add(id);
  });
}

function rulesOf(document: unknown): readonly unknown[] {
  const rules =
    typeof document === 'object' && document !== null && 'rules' in document ? document.rules : [];
  return Array.isArray(rules) ? rules : [];
}

function textField(rule: unknown, field: 'id' | 'when'): string | null {
  const value: unknown = typeof rule === 'object' && rule !== null ? Reflect.get(rule, field) : null;
  return typeof value === 'string' ? value : null;
}

function toMistakes(issue: z.core.$ZodIssue): PolicyMistake[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code !== 'unrecognized_keys')
    return [{ path, isKey: false, offset: null, message: issue.message }];
  return issue.keys.map((key) => ({
    path: [...path, key],
    isKey: true,
    offset: null,
    message: `unknown field "${key}"`,
  }));
}
