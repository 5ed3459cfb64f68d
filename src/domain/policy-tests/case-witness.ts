import { ACTIVITY_PARTS, type ActivityPart } from '../activity/activity-parts.ts';
import { activitySignals } from '../activity/activity-signals.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { PolicyMistake } from '../policy/document.ts';
import { nearestName } from '../policy/nearest-name.ts';
import { unknownField } from '../policy/plain-issue.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import type { Witness } from '../policy-analysis/witness.ts';
import type { CaseFile, Situation } from './case-schema.ts';
import { onLists } from './on-lists.ts';
import { type GivenPart, seenActivity } from './seen-activity.ts';
import { type GivenContradictions, seenContradictions } from './seen-contradictions.ts';
import { resolveSeconds } from './to-seconds.ts';

type Path = readonly (string | number)[];

/** What the cases of a file share. */
export interface CaseContext {
  readonly policy: CompiledPolicy;
  readonly providers: readonly SpaceProvider[];
  readonly evidence: CaseFile['evidence'];
  readonly now: string | undefined;
  readonly mistakes: PolicyMistake[];
}

/** A request that carries both ids. */
export const PRESENT = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

/** Custody of a first use. */
const FIRST_USE = {
  uses: 1,
  age_seconds: 0,
  bound_elsewhere: false,
  omits_device: false,
  omits_account: false,
  expired: false,
};

/** A step-up of now, about which nothing is told. */
const STEP_UP = { age_seconds: 0, method: '', acr: '' };

/**
 * What the engine is given in a case: what it says, and a first request of a known subject for all else. Adds
 * what is wrong with it to the mistakes, at `path`.
 */
export function toCaseWitness(situation: Situation, path: Path, context: CaseContext): Witness {
  const { policy, providers, evidence } = context;
  const now = situation.now ?? context.now;
  const nowMs = now === undefined ? null : Date.parse(now);
  const of = (isOurs: boolean) => ({ nowMs, mistakes: context.mistakes, isOurs });
  const { telemetry, step_up: stepUp, activity, contradictions, lists } = situation;
  const { ip_unreadable: ipUnreadable, place_lost: placeLost, ...said } = situation.request ?? {};
  const request = {
    ...PRESENT,
    ...said,
    ...(ipUnreadable === true && { ipUnreadable }),
    ...(placeLost === true && { placeLost }),
  } as Witness['request'];
  return {
    evidence: Object.fromEntries(
      providers.flatMap((provider) => {
        const { id } = provider;
        const given = situation.given?.[id];
        const said = given ?? evidence[id];
        const at = given === undefined ? ['evidence', id] : [...path, 'given', id];
        return said === undefined ? [] : [[id, toPiece(said, [...at, 'signals'], provider, of(false))]];
      }),
    ),
    request,
    facts: {
      telemetry: !request.telemetry_id_present
        ? 'none'
        : telemetry === 'unknown'
          ? telemetry
          : withoutLost(resolveSeconds({ ...FIRST_USE, ...telemetry }, [...path, 'telemetry'], of(true))),
      step_up:
        stepUp === undefined
          ? 'none'
          : stepUp === 'unknown'
            ? stepUp
            : withoutLost(resolveSeconds({ ...STEP_UP, ...stepUp }, [...path, 'step_up'], of(true))),
      ...(lists === 'unknown' ? { lists } : onLists(policy, knownLists(lists, [...path, 'lists'], context))),
      ...seenActivity(
        policy,
        activity === 'unknown' ? activity : knownActivity(activity, [...path, 'activity'], context, of(true)),
      ),
      ...seenContradictions(contradictions as GivenContradictions | 'unknown' | undefined),
    } as Witness['facts'],
  };
}

/** Evidence as the service would have it: an outcome without a payload brings the signals that it always has. */
function toPiece(
  { outcome, suspect, signals }: NonNullable<CaseFile['evidence'][string]>,
  path: Path,
  { notFoundSignals, unsupportedSignals }: SpaceProvider,
  ages: Parameters<typeof resolveSeconds>[2],
): Witness['evidence'][string] {
  const own =
    outcome === 'not_found'
      ? notFoundSignals
      : outcome === 'unsupported'
        ? (unsupportedSignals ?? undefined)
        : signals && resolveSeconds(signals, path, ages);
  return { outcome, ...(suspect !== undefined && { suspect }), ...(own && { signals: { ...own } }) };
}

function withoutLost(signals: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(signals).filter(([, value]) => value !== 'lost'));
}

function knownLists(
  lists: Exclude<Situation['lists'], 'unknown'>,
  path: Path,
  { policy, mistakes }: CaseContext,
): Exclude<Situation['lists'], 'unknown'> {
  const known = policy.document.lists;
  for (const list of Object.keys(lists ?? {}))
    if (!known.includes(list)) {
      const meant = nearestName(list, known);
      const message = `the policy has no list "${list}"${meant === null ? '' : `: did you mean "${meant}"?`}`;
      mistakes.push({ path: [...path, list], isKey: true, offset: null, message });
    }
  return lists;
}

/** The parts with numbers for ages; a name that no part has, or a value of another type, is a mistake. */
function knownActivity(
  activity: Exclude<Situation['activity'], 'unknown'> = {},
  path: Path,
  { policy, mistakes }: CaseContext,
  ages: Parameters<typeof resolveSeconds>[2],
): Partial<Record<ActivityPart, GivenPart>> {
  const parts = ACTIVITY_PARTS.flatMap((part): [ActivityPart, GivenPart][] => {
    const given = activity[part];
    if (given === undefined) return [];
    if (given === 'none' || given === 'unknown') return [[part, given]];
    const kinds = new Map(
      activitySignals(part, policy.document.events).map(({ name, kind }) => [name, kind]),
    );
    const at = [...path, part];
    const good = Object.entries(resolveSeconds(given, at, ages)).filter(([name, value]) => {
      const kind = kinds.get(name);
      const refuse = (message: string, isKey: boolean) => {
        mistakes.push({ path: [...at, name], isKey, offset: null, message });
        return false;
      };
      if (kind === undefined) return refuse(unknownField(name, kinds.keys()), true);
      if (value === 'lost' || typeof value === (kind === 'bool' ? 'boolean' : 'number')) return true;
      return refuse(`must be ${kind === 'bool' ? 'true or false' : 'a number'}, or lost`, false);
    });
    return [[part, Object.fromEntries(good) as GivenPart]];
  });
  return Object.fromEntries(parts);
}
