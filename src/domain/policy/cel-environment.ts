import { Environment, type ObjectSchema } from '@marcbachmann/cel-js';
import type { z } from 'zod';
import { requestSignalsSchema } from './request-signals.ts';
import { type ListType, type ObjectType, type ScalarType, signalTypeOf } from './signal-type.ts';
import { SUBJECT_FACTS } from './subject-facts.ts';
import { type CountriesOfTimeZone, registerWorldFunctions } from './world-functions.ts';

/** A provider as policies see it: the name of its variable and the schema of its signals. */
export interface PolicyProvider {
  readonly id: string;
  readonly signals: z.ZodObject;
}

/** Tests a text against a pattern. The time is linear in the length of the text for every pattern. */
export interface PatternTest {
  (text: string): boolean;
  /** The size of its program: the most steps for each character. */
  readonly instructions: number;
}

/** Tells whether an address, in any spelling, is in one network; null for what is not an address. */
export type NetworkTest = (address: string) => boolean | null;

/** The CEL function for this test: `in_network(request.ip, "203.0.113.0/24")`. */
export const IN_NETWORK = 'in_network';
const IN_NETWORK_SIGNATURE = `${IN_NETWORK}(string, string): bool`;

/** The compiled literals of conditions, by their text. They are compiled once, when the policy is loaded. */
export interface CompiledLiterals {
  readonly patterns: Map<string, PatternTest>;
  readonly networks: Map<string, NetworkTest>;
}

/** The method that stands in for CEL's `matches()`, whose own implementation backtracks and can hang. */
export const SAFE_MATCHES = 'matchesLinear';

/** The type of each fact in policies of this document, by its name. */
export function factTypes(document: unknown): ReadonlyMap<string, ObjectType> {
  return new Map(SUBJECT_FACTS.map(({ name, typeOf }) => [name, typeOf(document)]));
}

/**
 * The type of every variable that conditions can read but those of facts: each provider, `providers` with the
 * outcome and suspicion of each, and `request`.
 */
export function signalTypes(providers: readonly PolicyProvider[]): ReadonlyMap<string, ObjectType> {
  const state: ObjectType = {
    kind: 'object',
    fields: new Map([
      ['outcome', { kind: 'string' }],
      ['suspect', { kind: 'bool' }],
    ]),
  };
  const states: ObjectType = { kind: 'object', fields: new Map(providers.map(({ id }) => [id, state])) };
  return new Map([
    ...providers.map(({ id, signals }) => [id, signalTypeOf(signals)] as const),
    ['providers', states],
    ['request', signalTypeOf(requestSignalsSchema)],
  ]);
}

/** These types and those of the variables that the facts stand in. A fact may be a part of its variable. */
export function withFacts(
  signals: ReadonlyMap<string, ObjectType>,
  facts: ReadonlyMap<string, ObjectType>,
): ReadonlyMap<string, ObjectType> {
  const types = new Map(signals);
  for (const [name, type] of facts) {
    const [variable = name, part] = name.split('.');
    const parts = types.get(variable)?.fields ?? [];
    const whole = { kind: 'object', fields: new Map([...parts, [part ?? '', type]]) } as const;
    types.set(variable, part === undefined ? type : whole);
  }
  return types;
}

/** The types of everything that conditions can read in policies of this document. */
export function variableTypes(
  providers: readonly PolicyProvider[],
  document: unknown = null,
): ReadonlyMap<string, ObjectType> {
  return withFacts(signalTypes(providers), factTypes(document));
}

/** The environment in which conditions are checked: every signal typed, anything undeclared refused. */
export function createCheckEnvironment(variables: ReadonlyMap<string, ObjectType>): Environment {
  const environment = new Environment({ limits: LIMITS });
  for (const [name, type] of variables) environment.registerVariable(name, { schema: toCelSchema(type) });
  return registerWorldFunctions(environment).registerFunction(IN_NETWORK_SIGNATURE, () => false);
}

/**
 * The environment in which conditions run: plain maps (read 2.3 times faster than typed objects), the linear
 * matcher and the network test. Values have the checked types (see run-values.ts). A list of several signals
 * has items of unknown type here; the check has verified that they are of one type.
 */
export function createRunEnvironment(
  names: Iterable<string>,
  { patterns, networks }: CompiledLiterals,
  countriesOf?: CountriesOfTimeZone,
): Environment {
  const environment = new Environment({ limits: LIMITS, homogeneousAggregateLiterals: false });
  for (const name of names) environment.registerVariable(name, 'map');
  environment.registerFunction(`string.${SAFE_MATCHES}(string): bool`, (text: string, pattern: string) => {
    const test = patterns.get(pattern);
    if (test === undefined) throw new Error('The pattern was not compiled with the policy.');
    return test(text);
  });
  return registerWorldFunctions(environment, countriesOf).registerFunction(
    IN_NETWORK_SIGNATURE,
    (address: string, network: string) => {
      const isIn = networks.get(network)?.(address) ?? null;
      if (isIn === null) throw new Error('No address, or a network that was not compiled with the policy.');
      return isIn;
    },
  );
}

/** The names that a condition may use as variables. */
export function variableNames(providers: readonly PolicyProvider[]): readonly string[] {
  return [...providers.map((provider) => provider.id), 'providers', 'request'];
}

/** The functions, methods and macros of the language, by their names. */
export function functionNames(environment: Environment): ReadonlySet<string> {
  return new Set(environment.getDefinitions().functions.map(({ name }) => name));
}

/**
 * A condition longer or deeper than this is a program, not a rule; the bounds also bound what a load can
 * cost.
 */
const LIMITS = { maxAstNodes: 2000, maxDepth: 64, maxListElements: 1000 } as const;

function toCelSchema({ fields }: ObjectType): ObjectSchema {
  const schema: ObjectSchema = {};
  for (const [name, type] of fields)
    schema[name] = type.kind === 'object' ? toCelSchema(type) : toCelType(type);
  return schema;
}

function toCelType(type: ScalarType | ListType): string {
  return type.kind === 'list' ? `list<${toCelType(type.item)}>` : type.kind;
}
