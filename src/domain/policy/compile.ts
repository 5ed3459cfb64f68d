import type { ASTNode } from '@marcbachmann/cel-js';
import { failure, type Result, success } from '../result.ts';
import {
  type CompiledLiterals,
  createCheckEnvironment,
  createRunEnvironment,
  factTypes,
  functionNames,
  signalTypes,
  variableNames,
  withFacts,
} from './cel-environment.ts';
import { type ConditionTest, toConditionTest } from './closures.ts';
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
import { conditionsOf, refuseDuplicates, refuseUnreadParameters, toMistakes } from './document-shape.ts';
import { type RowLayout, toRowLayout } from './evidence-row.ts';
import { readFactParameters } from './fact-parameters.ts';
import { listsOf } from './list-signals.ts';
import { readParameters } from './parameters.ts';
import { memoisePossible } from './possible-results.ts';
import { refuseContradictions } from './rule-contradictions.ts';
import { ABSENT_SIGNAL, type RuleTrace, toUnknown } from './rule-trace.ts';
import { createToRunValues, type ToRunValues } from './run-values.ts';
import { findSignalsRead, type SignalsRead } from './signals-read.ts';
import { lifeSecondsOf, readStepUpDemands, type StepUpDemand } from './step-up-demand.ts';
import { STEP_UP_FACT } from './step-up-signals.ts';
import type { FactRead } from './subject-fact.ts';
import { SUBJECT_FACTS } from './subject-facts.ts';

/**
 * A rule that is ready to run. `run` throws where the condition is unknown. `test` is faster, and undefined
 * where only `run` can tell.
 */
export interface CompiledRule {
  readonly source: PolicyRule;
  /**
   * Indexes, in provider order, of the providers whose signals the condition reads. The facts that the policy
   * reads come after the last provider.
   */
  readonly signalReads: readonly number[];
  /** Indexes of the providers whose outcome or suspicion the condition reads. */
  readonly outcomeReads: readonly number[];
  /** What the condition reads of facts: by the name of a fact, names of its fields, joined by dots. */
  readonly factReads: ReadonlyMap<string, ReadonlySet<string>>;
  /** Ids of the providers that it reads in either way; reasons name them. */
  readonly providers: readonly string[];
  /** The names of the parameters that it reads. */
  readonly parameters: readonly string[];
  readonly ast: ASTNode;
  readonly test: ConditionTest;
  readonly run: (context: Readonly<Record<string, unknown>>) => unknown;
  /**
   * The results that the condition can have when the providers and facts in the bit set `absentMask` are absent;
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
  /** The text that the hash is of; null where the policy was made of none. */
  readonly text: string | null;
  readonly document: PolicyDocument;
  readonly rules: readonly CompiledRule[];
  readonly providerIds: readonly string[];
  /** The facts that some rule reads. */
  readonly facts: readonly FactRead[];
  /** What satisfies the CHALLENGE of a rule, by the rule's id. */
  readonly stepUps: ReadonlyMap<string, StepUpDemand>;
  /** For how long a step-up is of use to it: for the longest of these, and a day at least. */
  readonly stepUpLifeSeconds: number;
  /** The names of the facts that decisions need: a condition reads them, or they satisfy a CHALLENGE. */
  readonly factsNeeded: readonly string[];
  /** The names of all that sources are asked for: those facts, and what they are told by. */
  readonly factsAsked: readonly string[];
  /**
   * Bit set of the providers, then of the facts, that some rule reads. A decision that lacks one of them is
   * degraded.
   */
  readonly neededMask: number;
  readonly signalsRead: SignalsRead;
  /** For each variable, the conversion of its signals to the values that rules run on. */
  readonly toRunValues: ReadonlyMap<string, ToRunValues>;
}

/** True when some rule reads the fact of this name. */
export function readsFact({ facts }: CompiledPolicy, name: string): boolean {
  for (const { fact } of facts) if (fact.name === name) return true;
  return false;
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
  const signals = signalTypes(options.providers);
  const facts = factTypes(document);
  const variables = withFacts(signals, facts);
  const checkEnvironment = createCheckEnvironment(variables);
  const context: CompileContext = {
    ...options,
    signals,
    facts,
    known: { variables, lists: listsOf(document), functions: functionNames(checkEnvironment) },
    checkEnvironment,
    runEnvironment: createRunEnvironment(variables.keys(), literals, options.countriesOfTimeZone),
    names: variableNames(options.providers),
    literals,
    parameters: readParameters(document),
    mistakes: [],
    steps: 0,
  };
  const parsed = policyDocumentSchema.safeParse(document);
  if (!parsed.success)
    context.mistakes.push(
      ...parsed.error.issues.flatMap((issue) => toMistakes(issue, document, policyDocumentSchema)),
    );
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
  const reads = findFactReads(conditions, context);
  const sources = toSources(context, reads);
  const rules = parsed.data.rules.map((rule, index) =>
    toRule(rule, index, conditions[index], context, sources),
  );
  readFactParameters(reads, parsed.data, context);
  const stepUps = readStepUpDemands(parsed.data, context.parameters, context.mistakes);
  if (context.mistakes.length === 0) refuseUnreadParameters(context.parameters, context.mistakes);
  if (context.mistakes.length > 0) return failure(context.mistakes);
  return success(
    toPolicy(
      parsed.data,
      rules.filter((rule) => rule !== null),
      reads,
      stepUps,
      context,
    ),
  );
}

/** What the conditions read of facts, in the order of the facts. */
function findFactReads(
  conditions: readonly (Condition | null)[],
  { facts }: CompileContext,
): readonly FactRead[] {
  return SUBJECT_FACTS.flatMap((fact) => {
    const paths = new Set(
      conditions.flatMap((each) => [...(each?.inspection.factReads.get(fact.name) ?? [])]),
    );
    const type = facts.get(fact.name);
    if (paths.size === 0 || type === undefined) return [];
    const all = [...new Set([...paths, ...fact.whole])];
    return [{ fact, type, paths: all.map((path) => path.split('.')) }];
  });
}

/** Where the rules of a policy find what they read. */
interface Sources {
  /** What can be absent, in the order of the bits: every provider, then the facts that are read. */
  readonly names: readonly string[];
  readonly layout: RowLayout;
}

function toSources({ providers, signals }: CompileContext, reads: readonly FactRead[]): Sources {
  const ids = providers.map(({ id }) => id);
  return { names: [...ids, ...reads.map(({ fact }) => fact.name)], layout: toRowLayout(ids, reads, signals) };
}

function toRule(
  written: PolicyRule,
  index: number,
  condition: Condition | null | undefined,
  context: CompileContext,
  sources: Sources,
): CompiledRule | null {
  if (!condition) return null;
  // What it would contribute changes nothing either.
  const rule: PolicyRule = written.observe ? { ...written, on_unknown: 'IGNORE' } : written;
  const { ast, inspection, parameters, run } = condition;
  refuseContradictions(rule, index, inspection, context.mistakes);
  const indexesOf = (names: ReadonlySet<string>) =>
    sources.names.flatMap((source, place) => (names.has(source) ? [place] : []));
  const signalReads = indexesOf(new Set([...inspection.variables, ...inspection.factReads.keys()]));
  const outcomeReads = indexesOf(inspection.outcomeReads);
  const providers = context.providers
    .filter((_, place) => signalReads.includes(place) || outcomeReads.includes(place))
    .map((provider) => provider.id);
  return {
    source: rule,
    signalReads,
    outcomeReads,
    factReads: inspection.factReads,
    providers: Object.freeze(providers),
    parameters,
    ast,
    test: toConditionTest(ast, sources.layout),
    run,
    possible: memoisePossible(ast, sources.names),
    trueTrace: Object.freeze({ rule: rule.id, result: 'true' }),
    falseTrace: Object.freeze({ rule: rule.id, result: 'false' }),
    absentTrace: toUnknown(rule, ABSENT_SIGNAL),
  };
}

function toPolicy(
  document: PolicyDocument,
  rules: readonly CompiledRule[],
  facts: readonly FactRead[],
  stepUps: ReadonlyMap<string, StepUpDemand>,
  context: CompileContext,
): CompiledPolicy {
  let neededMask = 0;
  for (const rule of rules)
    for (const place of [...rule.signalReads, ...rule.outcomeReads]) neededMask |= 1 << place;
  const signalsRead = findSignalsRead(
    rules.map(({ ast }) => ast),
    context.providers.map(({ id }) => id),
  );
  const factsNeeded = [
    ...new Set([...facts.map(({ fact }) => fact.name), ...(stepUps.size > 0 ? [STEP_UP_FACT.name] : [])]),
  ];
  const others = facts.flatMap(({ fact, paths }) => fact.needsOf?.(paths) ?? []);
  return {
    id: document.policy,
    hash: context.hash,
    text: context.text ?? null,
    document,
    rules,
    providerIds: context.providers.map(({ id }) => id),
    facts,
    stepUps,
    stepUpLifeSeconds: lifeSecondsOf(stepUps),
    factsNeeded,
    factsAsked: [...new Set([...factsNeeded, ...others])],
    neededMask,
    signalsRead,
    toRunValues: new Map([
      ...[...context.signals].map(
        ([name, type]) => [name, createToRunValues(type, signalsRead.get(name) ?? null)] as const,
      ),
      ...facts.map(
        ({ fact, type, paths }) =>
          [
            fact.name,
            createToRunValues(
              type,
              paths.map(([field = '']) => field),
            ),
          ] as const,
      ),
    ]),
  };
}
