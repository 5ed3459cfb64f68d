import type { CompiledPolicy } from './compile.ts';
import {
  type EvidenceRow,
  type PolicyEvidence,
  type ProviderState,
  signalsOf,
  toState,
} from './evidence-row.ts';
import type { RequestSignals } from './request-signals.ts';
import { PLACE_SIGNALS } from './request-values-read.ts';
import { ABSENT_SIGNAL } from './rule-trace.ts';
import type { SubjectFacts } from './subject-fact.ts';

/** The variables of the interpreter. Those that are absent have no key. */
export type RunContext = Readonly<Record<string, unknown>>;

const UNREADABLE = 'unreadable';
/** Of what would be known of the place of an address. */
const PLACE_LOST = 'place_lost';

/** The variables of one decision. */
export function toRunContext(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  facts: SubjectFacts,
): RunContext {
  const context: Record<string, unknown> = {
    request: hideUnreadable(toRunValues(policy, 'request', request)),
  };
  const states: Record<string, ProviderState> = {};
  policy.providerIds.forEach((id, place) => {
    const piece = evidence[place];
    if (piece === undefined) return;
    states[id] = toState(piece);
    const signals = signalsOf(piece);
    if (signals !== null) context[id] = toRunValues(policy, id, signals);
  });
  context['providers'] = states;
  for (const { fact } of policy.facts) {
    const value = facts[fact.name];
    if (typeof value === 'object') put(context, fact.name, toRunValues(policy, fact.name, value));
  }
  return context;
}

/** The same with the facts of this row, where they differ. */
export function withFactsOf(policy: CompiledPolicy, row: EvidenceRow, context: RunContext): RunContext {
  const copy: Record<string, unknown> = { ...context };
  policy.facts.forEach(({ fact }, place) => {
    const value = row[policy.providerIds.length + place];
    if (typeof value === 'object' && value !== null)
      put(copy, fact.name, toRunValues(policy, fact.name, value));
  });
  return copy;
}

/** A fact is a variable, or one part of one. */
function put(context: Record<string, unknown>, name: string, value: object): void {
  const [variable = name, part] = name.split('.');
  if (part === undefined) context[variable] = value;
  else context[variable] = { ...Object(context[variable]), [part]: value };
}

/** Converts the signals of one variable to the values that rules run on. */
function toRunValues({ toRunValues: conversions }: CompiledPolicy, name: string, signals: object): object {
  return conversions.get(name)?.(signals) ?? signals;
}

/**
 * Makes `request.ip`, and what follows from it, unknown where the address cannot be read, and what follows from
 * it where that could not be looked up: both reading it and `has(request.ip)` fail, as for lost evidence.
 */
function hideUnreadable(request: object): object {
  const isUnreadable = 'ipUnreadable' in request;
  if (!isUnreadable && !('placeLost' in request)) return request;
  const hidden = { ...request };
  const code = isUnreadable ? UNREADABLE : PLACE_LOST;
  for (const name of isUnreadable ? ['ip', ...PLACE_SIGNALS] : PLACE_SIGNALS)
    Object.defineProperty(hidden, name, {
      get: () => {
        throw Object.assign(new Error('The address cannot be read or found.'), { code });
      },
    });
  return hidden;
}

/** Describes an error of a condition without its values: the error's own text may quote them. */
export function describeRunError(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'code');
  if (code === UNREADABLE) return 'the IP address cannot be read';
  if (code === PLACE_LOST) return 'where the IP address is could not be looked up';
  return code === 'no_such_key' ? ABSENT_SIGNAL : `cannot be evaluated (${String(code)})`;
}
