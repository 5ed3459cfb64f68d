import {
  COMMON_EVENTS,
  DECISION_MEASURES,
  LABEL_MEASURES,
  measureNumber,
  WITHDRAWN_MEASURES,
} from './activity-measures.ts';
import {
  ACTIVITY_WINDOWS,
  type ActivityPart,
  DISTINCT_MAX,
  isNamedByEvidence,
  isPaired,
  isPlace,
  kindsOf,
  SEEN_KINDS,
  type SeenKind,
  WINDOW_SECONDS_MAX,
} from './activity-parts.ts';
import { countAfter, distinctAfter, findValue, lastSeenOf } from './activity-state.ts';
import {
  type ActivityView,
  findOwn,
  isKnown,
  isMissed,
  isWithin,
  lacksDevice,
  mostOf,
  outlived,
  type ReadView,
  type ReadViews,
  sumOf,
} from './activity-view.ts';

/** One signal of the activity of a part. */
export interface ActivitySignal {
  readonly name: string;
  readonly kind: 'int' | 'bool';
  readonly meaning: string;
  /** It reads values that come with evidence; the others are read in the moment of the request. */
  readonly isLate: boolean;
  /** Where it stops to count; null where it does not. */
  readonly most: number | null;
  /**
   * Undefined where it is unknown. What is kept under several hash keys is read together: see
   * docs/adr/0064-activity.md.
   */
  readonly read: ReadViews<number | boolean>;
}

/** For how long nothing is forgotten of a part after its latest activity. */
export const ACTIVITY_LIFE_SECONDS: Readonly<Record<ActivityPart, number>> = {
  // An account is old although its owner was away for a month.
  account: 3 * WINDOW_SECONDS_MAX,
  device: WINDOW_SECONDS_MAX,
  ip: WINDOW_SECONDS_MAX,
  visitor: WINDOW_SECONDS_MAX,
  hardware: WINDOW_SECONDS_MAX,
};

const SINGULAR: Readonly<Record<SeenKind, string>> = {
  accounts: 'account',
  devices: 'device',
  ips: 'ip',
  telemetry_ids: 'telemetry_id',
  countries: 'country',
  asns: 'asn',
  places: 'place',
};

const MEASURED: Readonly<Record<string, string>> = {
  decisions: 'Earlier decisions',
  blocks: 'Earlier decisions that came to BLOCK',
  challenges: 'Earlier decisions that came to CHALLENGE',
  not_found: 'Earlier decisions whose telemetry id its provider did not know',
  challenges_failed: 'Earlier decisions that were labelled `challenge_failed`',
  fraud_labels: 'Earlier decisions that were labelled `fraud`',
};

/** Every signal of a part, with these events of the operator's own among them. */
export function activitySignals(part: ActivityPart, ownEvents: readonly string[]): readonly ActivitySignal[] {
  const kinds = kindsOf(part);
  const pairs = kinds.filter((kind) => isPaired(part, kind));
  // Events name the ids of a request, and no visitor.
  const events = isNamedByEvidence(part) ? [] : [...COMMON_EVENTS, ...ownEvents];
  const measures = [...DECISION_MEASURES, ...LABEL_MEASURES, ...events];
  return [
    firstSeen(part),
    remembered(part),
    ...pairs.filter((kind) => kind !== 'asns').map((kind) => pairFirstSeen(part, kind)),
    ...pairs.filter((kind) => kind !== 'ips').map((kind) => known(part, kind)),
    ...measures.flatMap(counted),
    ...kinds.flatMap(distinct),
    ...kinds.map(distinctRemembered),
  ];
}

function firstSeen(part: ActivityPart): ActivitySignal {
  return {
    name: 'first_seen_seconds',
    kind: 'int',
    meaning: `Seconds since its first request; forgotten after 30 days without one, of an account after 90.`,
    isLate: false,
    most: null,
    read: mostOf((view) => {
      const { sinceSeconds, nowSeconds } = view;
      const firstSeconds = view.state.firstSeconds;
      const isMissed = isWithin(sinceSeconds, nowSeconds, ACTIVITY_LIFE_SECONDS[part]);
      if (isMissed && !outlived(firstSeconds, view)) return undefined;
      return Math.max(0, nowSeconds - firstSeconds);
    }),
  };
}

/**
 * What was lost with the store is as if it had never been: for rules about a month, which would otherwise be
 * unknown for as long after a loss. What is missing of one entry alone, as a stranger can bring about, is unknown.
 */
function rememberedSince({ state }: ActivityView): number {
  return state.sinceSeconds;
}

function remembered(part: ActivityPart): ActivitySignal {
  const { read, ...whole } = firstSeen(part);
  return {
    ...whole,
    name: 'remembered_seconds',
    meaning:
      'Seconds since its first request that is remembered: after a loss of the whole memory it begins anew, and `first_seen_seconds` is unknown.',
    read: (views) => read(views.map((view) => ({ ...view, sinceSeconds: rememberedSince(view) }))),
  };
}

function pairFirstSeen(part: ActivityPart, kind: SeenKind): ActivitySignal {
  const one = SINGULAR[kind];
  return {
    name: `${one}_first_seen_seconds`,
    kind: 'int',
    meaning: `Seconds since this ${one} was first seen with this ${part}; forgotten after 30 days without it.`,
    isLate: isPlace(SEEN_KINDS.indexOf(kind)),
    most: null,
    read: mostOf((view) => {
      if (lacksDevice(view, kind)) return 0;
      const found = findOwn(view, kind);
      if (found === undefined || found.hasGap) return undefined;
      const first = found.first ?? view.nowSeconds;
      if (isMissed(view) && !outlived(first, view)) return undefined;
      return Math.max(0, view.nowSeconds - first);
    }),
  };
}

function known(part: ActivityPart, kind: SeenKind): ActivitySignal {
  const one = SINGULAR[kind];
  return {
    name: `known_${one}`,
    kind: 'bool',
    meaning: `This ${one} was accepted with this ${part} within 30 days before: by an ALLOW, a \`login_succeeded\`, or a decision labelled \`challenge_passed\` or \`legit\`.`,
    isLate: isPlace(SEEN_KINDS.indexOf(kind)),
    most: null,
    read: (views) => isKnown(views, kind),
  };
}

/** What is counted against labels, by their measures. */
const LABELS: ReadonlyMap<string, string> = new Map(Object.entries(WITHDRAWN_MEASURES));

/** A label is under the hash key of its record alone, so that those of all keys are summed. */
function counted(measure: string): ActivitySignal[] {
  const number = measureNumber(measure);
  const withdrawn = LABELS.get(measure);
  const what = MEASURED[measure] ?? `Events \`${measure}\``;
  const traits = {
    most: null,
    isLate: false,
    across: LABELS.has(measure) ? sumOf : mostOf,
  };
  const read = ({ state, nowSeconds }: ActivityView, fromSeconds: number) => {
    const all = countAfter(state, number, fromSeconds);
    if (withdrawn === undefined || all === 0) return all;
    // Times are kept to a tenth of a window, rounded up: a label that the window no longer holds must not be
    // taken from those that it does hold.
    const surelyWithin = fromSeconds + (nowSeconds - fromSeconds) / 10;
    return Math.max(0, all - countAfter(state, measureNumber(withdrawn), surelyWithin));
  };
  return inWindows(measure, what, traits, read);
}

function distinct(kind: SeenKind): ActivitySignal[] {
  const place = SEEN_KINDS.indexOf(kind);
  const what = `Distinct ${kind.replace('_', ' ')}, this one included, up to ${DISTINCT_MAX},`;
  const traits = { most: DISTINCT_MAX, isLate: isPlace(place), across: mostOf };
  return inWindows(kind, what, traits, (view, fromSeconds) => countDistinct(view, place, fromSeconds));
}

function countDistinct({ state, own }: ActivityView, kind: number, fromSeconds: number): number | undefined {
  const value = own[kind];
  if (value === undefined) return undefined;
  const others = distinctAfter(state, kind, fromSeconds);
  if (value === null) return others;
  const at = findValue(state, kind, value);
  const isAmong = at !== -1 && lastSeenOf(state, at) > fromSeconds;
  return Math.min(DISTINCT_MAX, isAmong ? others : others + 1);
}

function distinctRemembered(kind: SeenKind): ActivitySignal {
  const name = `${kind}_30d`;
  const [whole] = distinct(kind).filter((each) => each.name === name) as [ActivitySignal];
  const place = SEEN_KINDS.indexOf(kind);
  return {
    ...whole,
    name: `${kind}_remembered`,
    meaning: `As \`${name}\`, as far as they are remembered: after a loss of the whole memory those since.`,
    read: mostOf((view) => {
      const fromSeconds = view.nowSeconds - WINDOW_SECONDS_MAX;
      return rememberedSince(view) > fromSeconds ? undefined : countDistinct(view, place, fromSeconds);
    }),
  };
}

function inWindows(
  name: string,
  what: string,
  {
    across,
    ...traits
  }: Pick<ActivitySignal, 'most' | 'isLate'> & {
    readonly across: (read: ReadView) => ReadViews<number>;
  },
  read: (view: ActivityView, fromSeconds: number) => number | undefined,
): ActivitySignal[] {
  return Object.entries(ACTIVITY_WINDOWS).map(([window, seconds]) => ({
    name: `${name}_${window}`,
    kind: 'int',
    meaning: `${what} in the last ${window}.`,
    ...traits,
    read: across((view) => {
      const fromSeconds = view.nowSeconds - seconds;
      return view.sinceSeconds > fromSeconds ? undefined : read(view, fromSeconds);
    }),
  }));
}
