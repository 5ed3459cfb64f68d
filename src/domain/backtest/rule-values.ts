import type { ASTNode } from '@marcbachmann/cel-js';
import type { DecisionRecord } from '../decision-log/decision-record.ts';
import { recordedFactOf } from '../decision-log/recorded-facts.ts';
import { isDefinite } from '../evidence.ts';
import { SUBJECT_FACTS } from '../policy/subject-facts.ts';
import { TELEMETRY_FACT } from '../policy/telemetry-signals.ts';
import { placeOf } from '../policy-analysis/build-space.ts';
import { collectUses } from '../policy-analysis/signal-uses.ts';

/** What a condition reads by a name. */
export interface RuleValue {
  /** As conditions spell it: `stytch.action`. */
  readonly name: string;
  /** Null where it is absent. */
  readonly value: unknown;
  /** Why it is absent: `stytch timeout`, `custody unavailable`; null where it is there. */
  readonly why: string | null;
}

/** Signals of the request of which a record knows only whether they were given. */
const IDENTIFYING: ReadonlySet<string> = new Set(['account_id', 'ip', 'user_agent']);

/** What a condition read of a recorded decision, in the order in which it names it, each once. */
export function valuesOf(ast: ASTNode, record: DecisionRecord): readonly RuleValue[] {
  const names = [...collectUses(ast, new Map())];
  return names.flatMap((name) => readValue(name.split('.'), record) ?? []);
}

/** Null for a name that is no signal: a parameter, or what a macro binds. */
function readValue(path: readonly string[], record: DecisionRecord): RuleValue | null {
  const name = path.join('.');
  const providers = Object.keys(record.providers).map((id) => ({ id }));
  const [variable = '', ...rest] = path;
  const place = placeOf(path, providers);
  if (place?.kind === 'fact') return readFact(name, place.source, place.path, record);
  if (variable === 'request') return readRequest(name, rest[0], record);
  const id = variable === 'providers' ? (rest[0] ?? '') : variable;
  const use = Object.hasOwn(record.providers, id) ? record.providers[id] : undefined;
  if (use === undefined) return null;
  if (variable === 'providers') {
    const { outcome, suspect } = use;
    return toValue(name, fieldOf({ outcome, suspect }, rest.slice(1)), 'no such state');
  }
  const signals = isDefinite(use.outcome) ? use.signals : null;
  if (signals === null) return toValue(name, undefined, `${id} ${use.outcome}`);
  return toValue(name, fieldOf(signals, rest), `${id} does not say it`);
}

function readFact(name: string, source: string, path: readonly string[], record: DecisionRecord): RuleValue {
  const fact = SUBJECT_FACTS.find((one) => one.name === source);
  const { signals, result } = record.custody;
  const own = source === TELEMETRY_FACT.name ? (signals ?? (result === 'none' ? result : 'unknown')) : null;
  const known = own ?? recordedFactOf(record, source);
  if (known === undefined) return toValue(name, undefined, 'not recorded');
  // There is none: conditions read one that is older than any.
  if (source === 'step_up' && known === 'none') return toValue(name, undefined, 'no step-up');
  if (typeof known === 'string') return toValue(name, undefined, fact?.whyAbsent[known] ?? known);
  const isNothing = fact?.softnessOf?.(known, path) === 'nothing';
  const why = isNothing ? fact.whyAbsent.none : `${name} unknown`;
  return toValue(name, fieldOf(known, path), why);
}

function readRequest(name: string, signal: string | undefined, record: DecisionRecord): RuleValue {
  const { request, action } = record;
  if (signal === undefined) return toValue(name, undefined, 'not recorded');
  if (signal === 'action') return toValue(name, action ?? undefined, 'the request had none');
  const recorded: unknown = request === undefined ? undefined : Reflect.get(request, signal);
  if (!IDENTIFYING.has(signal)) return toValue(name, recorded, 'not recorded');
  const whys: Readonly<Record<string, string>> = {
    given: 'given, and its value is not recorded',
    absent: 'the request had none',
    unreadable: 'it could not be read',
  };
  return toValue(name, undefined, whys[String(recorded)] ?? 'not recorded');
}

function toValue(name: string, value: unknown, whyAbsent: string): RuleValue {
  return value === undefined ? { name, value: null, why: whyAbsent } : { name, value, why: null };
}

/** An own field of plain objects. */
function fieldOf(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? Reflect.get(value, name)
        : undefined,
    object,
  );
}
