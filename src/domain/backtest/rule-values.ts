import type { RecordedInput } from '../decision-log/recorded-input.ts';
import type { CompiledPolicy, CompiledRule } from '../policy/compile.ts';
import { signalsOf } from '../policy/evidence-row.ts';
import { placeOf } from '../policy-analysis/build-space.ts';
import { collectUses } from '../policy-analysis/signal-uses.ts';

/** What a condition reads by a name. */
export interface RuleValue {
  /** As conditions spell it: `stytch.action`. */
  readonly name: string;
  /** Null where it is absent. */
  readonly value: unknown;
  /** Why it is absent: `stytch timeout`, `custody unavailable`; null where it is there, or nobody knows. */
  readonly why: string | null;
}

/** What the condition of a rule reads in one decision, in the order in which it names them, each once. */
export function valuesOf(rule: CompiledRule, policy: CompiledPolicy, input: RecordedInput): RuleValue[] {
  const providers = policy.providerIds.map((id) => ({ id }));
  const paths = [...collectUses(rule.ast, new Map())].map((name) => name.split('.'));
  return paths.flatMap((path) => {
    const name = path.join('.');
    const place = placeOf(path, providers);
    const whole = place === null && providers.some(({ id }) => id === name) ? name : null;
    if (place === null && whole === null) return [];
    const { kind, source } = place ?? { kind: 'provider', source: name };
    if (kind === 'request') return [toValue(name, fieldOf(input.request, path.slice(1)), null)];
    if (kind === 'fact') {
      const known = input.facts[source] ?? 'unknown';
      const why = policy.facts.find(({ fact }) => fact.name === source)?.fact.whyAbsent;
      if (typeof known === 'string') return [toValue(name, undefined, why?.[known] ?? known)];
      return [toValue(name, fieldOf(known, place?.path ?? []), null)];
    }
    const evidence = input.evidence[policy.providerIds.indexOf(source)];
    const { outcome = 'skipped', suspect = false } = evidence ?? {};
    if (path[0] === 'providers') return [toValue(name, fieldOf({ outcome, suspect }, path.slice(2)), null)];
    const signals = evidence === undefined ? null : signalsOf(evidence);
    if (signals === null) return [toValue(name, undefined, `${source} ${outcome}`)];
    return [toValue(name, fieldOf(signals, path.slice(1)), null)];
  });
}

function toValue(name: string, value: unknown, why: string | null): RuleValue {
  return { name, value: value ?? null, why };
}

function fieldOf(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, name)
        ? Reflect.get(value, name)
        : undefined,
    object,
  );
}
