import { DEFINITE_OUTCOMES, INDEFINITE_OUTCOMES, type Outcome } from '../evidence.ts';
import { type PolicyProvider, variableTypes } from '../policy/cel-environment.ts';
import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';
import { requestSignalsSchema } from '../policy/request-signals.ts';
import { PLACE_SIGNALS } from '../policy/request-values-read.ts';
import { isFromClient } from '../policy/signal-origin.ts';
import type { SignalType } from '../policy/signal-type.ts';
import { findFactField, type SubjectFact } from '../policy/subject-fact.ts';
import { SUBJECT_FACTS } from '../policy/subject-facts.ts';
import {
  ABSENT,
  ANYTHING,
  type AnalysedProvider,
  type Dimension,
  type ProviderValue,
  type Space,
  UNREADABLE,
} from './dimension.ts';
import { representativeValues, type UseGroup } from './representative-values.ts';
import { collectUses, type SignalUses } from './signal-uses.ts';

/** A provider with what analysis and policies know of it. */
export type SpaceProvider = AnalysedProvider & PolicyProvider;

/** A rule with the policy that it is one of. */
export interface AnalysedRule {
  /** The place of its policy among those that are analysed together. */
  readonly policy: number;
  readonly rule: CompiledRule;
}

/** Where a name in a condition leads. */
interface Place {
  readonly kind: 'provider' | 'fact' | 'request';
  readonly source: string;
  readonly path: readonly string[];
}

interface Draft {
  readonly dimensions: Dimension[];
  readonly places: Map<string, number>;
  readonly uses: SignalUses;
  readonly limits: string[];
  readonly providers: readonly SpaceProvider[];
  readonly typeOf: (path: readonly string[]) => SignalType | undefined;
}

/** What cannot be known where the address cannot be read, or not be looked up. */
const OF_ADDRESS = ['request.ip', ...PLACE_SIGNALS.map((name) => `request.${name}`)];
const ALWAYS = ['telemetry_id_present', 'device_id_present', 'device_id_given'];

/** The space of all evidence that these rules can tell apart. */
export function buildSpace(
  rules: readonly AnalysedRule[],
  policies: readonly CompiledPolicy[],
  providers: readonly SpaceProvider[],
): Space {
  const uses: SignalUses = new Map();
  for (const { rule } of rules) collectUses(rule.ast, uses);
  const types = policies.map(({ document }) => variableTypes(providers, document));
  const typeOf = ([variable = '', ...path]: readonly string[]) => {
    const found = types.map((variables) => path.reduce(fieldOf, variables.get(variable)));
    return found.find((type) => type !== undefined);
  };
  const draft: Draft = { dimensions: [], places: new Map(), uses, limits: [], providers, typeOf };
  const names = [
    ...ALWAYS.map((name) => ['request', name]),
    ...[...uses.values()].map(({ path }) => path),
    ...policies.flatMap(({ facts }) =>
      facts.flatMap(({ fact, paths }) => paths.map((path) => [...fact.name.split('.'), ...path])),
    ),
  ];
  for (const path of names) addSignal(path, draft);
  const { dimensions, places, limits } = draft;
  return { dimensions, places, providers: new Map(providers.map((one) => [one.id, one])), limits };
}

function fieldOf(type: SignalType | undefined, name: string): SignalType | undefined {
  return type?.kind === 'object' ? type.fields.get(name) : undefined;
}

/** Where these names lead; null for a variable that a macro binds, and for one that is read as a whole. */
export function placeOf(
  path: readonly string[],
  providers: readonly { readonly id: string }[],
): Place | null {
  const [variable = '', ...rest] = path;
  if (variable === 'providers') return { kind: 'provider', source: rest[0] ?? '', path: [] };
  const field = findFactField(SUBJECT_FACTS, path);
  if (field !== null) return { kind: 'fact', source: field.fact.name, path: field.path };
  if (rest.length === 0) return null;
  if (variable === 'request') return { kind: 'request', source: variable, path: rest };
  return providers.some(({ id }) => id === variable)
    ? { kind: 'provider', source: variable, path: rest }
    : null;
}

function addSignal(path: readonly string[], draft: Draft): void {
  const place = placeOf(path, draft.providers);
  if (place === null) return;
  const { kind, source } = place;
  const parent = kind === 'request' ? -1 : addSource(place, draft);
  // What an answer is about is found, and nothing else is.
  if (kind === 'provider' && (place.path[0] ?? 'found') === 'found') return;
  place.path.forEach((_, depth) => {
    const inner = place.path.slice(0, depth + 1);
    // What a fact lacks is found by its whole names.
    if (kind === 'fact' && inner.length < place.path.length) return;
    const outer = draft.places.get(nameOf(source, inner.slice(0, -1)));
    add(
      {
        kind: 'signal',
        source,
        path: inner,
        parent: outer ?? parent,
        isClient: isOfClient(place, inner, draft),
      },
      draft,
    );
  });
}

function isOfClient({ kind, source }: Place, path: readonly string[], { providers }: Draft): boolean {
  if (kind === 'request') return isFromClient(requestSignalsSchema, path);
  const provider = providers.find(({ id }) => id === source);
  return provider !== undefined && isFromClient(provider.signals, path);
}

/** The name of a dimension: that of its source, and of the signal in it. */
function nameOf(source: string, path: readonly string[]): string {
  return [source, ...path].join('.');
}

function addSource({ kind, source }: Place, draft: Draft): number {
  const values = kind === 'fact' ? factValues(source) : providerValues(source, draft);
  return put(
    {
      name: source,
      kind: kind === 'fact' ? 'fact' : 'provider',
      source,
      path: [],
      values,
      parent: -1,
      isClient: false,
    },
    draft,
  );
}

/** There is none of a fact where the subject lacks what it is of. */
function factValues(name: string): readonly string[] {
  return factOf(name)?.isOfAll === true ? ['known', 'unknown'] : ['known', 'none', 'unknown'];
}

function factOf(name: string): SubjectFact | undefined {
  return SUBJECT_FACTS.find((fact) => fact.name === name);
}

/** All values of a field of a fact, where they are few; null for any other signal. */
function allValues(source: string, path: readonly string[]): readonly unknown[] | null {
  const values = factOf(source)?.valuesOf?.(path) ?? [];
  if (values.length === 0) return null;
  return values.map((value) => value ?? ABSENT);
}

/** Unless a condition reads outcomes, all ways of being lost are the same to it. */
function providerValues(id: string, { uses, providers }: Draft): readonly ProviderValue[] {
  const isUsed = (field: string) => uses.has(`providers.${id}.${field}`) || uses.has(`providers.${id}`);
  const readsAll = providers.find((one) => one.id === id)?.unsupportedSignals === null;
  const definite = DEFINITE_OUTCOMES.filter((outcome) => outcome !== 'unsupported' || !readsAll);
  const lost = isUsed('outcome') ? INDEFINITE_OUTCOMES : (['timeout'] as const);
  const outcomes: readonly Outcome[] = [...definite, ...lost];
  const suspicions = isUsed('suspect') ? [false, true] : [false];
  return suspicions.flatMap((suspect) => outcomes.map((outcome) => ({ outcome, suspect })));
}

function add(signal: Omit<Dimension, 'name' | 'values'>, draft: Draft): void {
  const name = nameOf(signal.source, signal.path);
  const type = draft.typeOf(name.split('.'));
  if (type === undefined || draft.places.has(name)) return;
  const all = allValues(signal.source, signal.path);
  if (all !== null) {
    put({ ...signal, name, values: all }, draft);
    return;
  }
  const isSigned = draft.providers.some(({ id }) => id === signal.source);
  const group = groupOf(name, draft.uses);
  const values = representativeValues(name, type, group, isSigned).filter(
    // An empty text of a request is an absent one.
    (value) => value !== '' || signal.source !== 'request',
  );
  if (values.includes(ANYTHING)) draft.limits.push(`${name}: ${describeLimit(group)}`);
  const isRequired = signal.source === 'request' && ALWAYS.includes(signal.path.join('.'));
  const absences = isRequired ? [] : OF_ADDRESS.includes(name) ? [ABSENT, UNREADABLE] : [ABSENT];
  const rest = values.filter((value) => value === ANYTHING);
  put(
    { ...signal, name, values: [...values.filter((value) => value !== ANYTHING), ...absences, ...rest] },
    draft,
  );
}

function put(dimension: Dimension, { dimensions, places }: Draft): number {
  const known = places.get(dimension.name);
  if (known !== undefined) return known;
  places.set(dimension.name, dimensions.length);
  return dimensions.push(dimension) - 1;
}

function describeLimit({ opaque, searches }: UseGroup): string {
  const [part] = opaque;
  if (part !== undefined) return `its values are not all told apart in \`${part}\``;
  return searches.size > 0
    ? `what is found in it together: ${[...searches.keys()].join(', ')}`
    : 'it is compared with too much';
}

/** The uses of a signal and of all that it is compared with, directly or through others. */
function groupOf(name: string, uses: SignalUses): UseGroup {
  const names = new Set([name]);
  const group = {
    literals: new Set<string | number | boolean>(),
    searches: new Map(),
    opaque: new Set<string>(),
  };
  for (const one of names) {
    const use = uses.get(one);
    const [source = '', ...path] = one.split('.');
    for (const value of allValues(source, path) ?? [])
      if (typeof value === 'number' || typeof value === 'string') group.literals.add(value);
    for (const peer of use?.peers ?? []) names.add(peer);
    for (const literal of use?.literals ?? []) group.literals.add(literal);
    for (const [key, text] of use?.searches ?? []) group.searches.set(key, text);
    for (const part of use?.opaque ?? []) group.opaque.add(part);
  }
  return { ...group, size: names.size };
}
