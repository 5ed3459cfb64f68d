import { activityFactName } from '../activity/activity-facts.ts';
import { ACTIVITY_PARTS } from '../activity/activity-parts.ts';
import { TOTALS } from '../contradictions/contradiction-signals.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { Witness } from '../policy-analysis/witness.ts';
import { PRESENT } from './case-witness.ts';

type Given = Record<string, unknown>;

/** The case that gives the engine what a witness does, as a file of cases has it, but for its name and decision. */
export function toCaseGiven(policy: CompiledPolicy, { evidence, request, facts }: Witness): Given {
  const given = Object.entries(evidence).map(([id, { outcome, suspect, signals }]) => [
    id,
    { outcome, ...(suspect === true && { suspect }), ...(outcome === 'ok' && { signals }) },
  ]);
  const { ipUnreadable, placeLost, ...signals } = request;
  const said = {
    ...Object.fromEntries(
      Object.entries(signals).filter(([name, value]) => Reflect.get(PRESENT, name) !== value),
    ),
    ...(ipUnreadable === true && { ip_unreadable: true }),
    ...(placeLost === true && { place_lost: true }),
  };
  const activity = ACTIVITY_PARTS.flatMap((part) => {
    const value = readFact(policy, facts, activityFactName(part));
    return value === null ? [] : [[part, value] as const];
  });
  return {
    ...(given.length > 0 && { given: Object.fromEntries(given) }),
    ...(Object.keys(said).length > 0 && { request: said }),
    ...put('telemetry', readFact(policy, facts, 'telemetry')),
    ...put('step_up', readFact(policy, facts, 'step_up')),
    ...(activity.length > 0 && { activity: Object.fromEntries(activity) }),
    ...put('contradictions', toContradictions(readFact(policy, facts, 'contradictions'))),
    ...put('lists', toLists(readFact(policy, facts, 'lists'))),
  };
}

/** Without a telemetry id, or a step-up, there is none of it, which a case does not say. */
function put(name: string, value: unknown): Given {
  const isUnsaid = value === null || (value === 'none' && name !== 'contradictions');
  return isUnsaid ? {} : { [name]: value };
}

/** A fact as a case has it: what the policy reads and the fact lacks is lost. Null for one that is not read. */
function readFact(policy: CompiledPolicy, facts: Witness['facts'], name: string): Given | string | null {
  const read = policy.facts.find(({ fact }) => fact.name === name);
  const value = facts[name];
  if (read === undefined || value === undefined) return null;
  if (typeof value === 'string') return value;
  const given: Given = {};
  for (const path of read.paths) setPath(given, path, valueAt(value, path) ?? 'lost');
  return given;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => Reflect.get(Object(inner), name), value);
}

function setPath(object: Given, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    object[name] = value;
    return;
  }
  object[name] ??= {};
  setPath(object[name] as Given, rest, value);
}

/** Of a contradiction, lost is called unknown. Where there is nothing to compare of any, that is what is not said. */
function toContradictions(value: Given | string | null): Given | string | null {
  if (value === 'none') return {};
  if (value === null || typeof value === 'string') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      each === 'lost' && !(name in TOTALS) ? 'unknown' : each,
    ]),
  );
}

/** Nobody is on a list of which nothing is said. */
function toLists(value: Given | string | null): Given | string | null {
  if (value === null || typeof value === 'string') return value;
  const lists = Object.entries(value).flatMap(([list, parts]) => {
    const said = Object.entries(Object(parts) as Given).filter(([, isListed]) => isListed !== false);
    return said.length === 0 ? [] : [[list, Object.fromEntries(said)] as const];
  });
  return lists.length === 0 ? null : Object.fromEntries(lists);
}
