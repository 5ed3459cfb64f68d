import { COMMON_EVENTS, DECISION_MEASURES, LABEL_MEASURES, measureNumber } from './activity-measures.ts';
import {
  ACTIVITY_WINDOWS,
  type ActivityPart,
  DISTINCT_MAX,
  isPaired,
  isPlace,
  kindsOf,
  SEEN_KINDS,
  type SeenKind,
  WINDOW_SECONDS_MAX,
} from './activity-parts.ts';
import { type ActivityState, countAfter, distinctAfter, findValue, hasGap } from './activity-state.ts';

/** What is known of one part of the subject of a decision. */
export interface ActivityView {
  readonly state: ActivityState;
  /** What happened before is not all known; 0 where nothing is missing. */
  readonly sinceSeconds: number;
  readonly nowSeconds: number;
  /**
   * The value of this request, by the place of its kind: null where it has none, undefined where that is not
   * known.
   */
  readonly own: readonly (number | null | undefined)[];
}

/** One signal of the activity of a part. */
export interface ActivitySignal {
  readonly name: string;
  readonly kind: 'int' | 'bool';
  readonly meaning: string;
  /** It reads values that come with evidence; the others are read in the moment of the request. */
  readonly isLate: boolean;
  /** Where it stops to count; null where it does not. */
  readonly most: number | null;
  /** Undefined where it is unknown. */
  readonly read: (view: ActivityView) => number | boolean | undefined;
}

/** For how long nothing is forgotten of a part after its latest activity. */
export const ACTIVITY_LIFE_SECONDS: Readonly<Record<ActivityPart, number>> = {
  // An account is old although its owner was away for a month.
  account: 3 * WINDOW_SECONDS_MAX,
  device: WINDOW_SECONDS_MAX,
  ip: WINDOW_SECONDS_MAX,
  visitor: WINDOW_SECONDS_MAX,
};

const SINGULAR: Readonly<Record<SeenKind, string>> = {
  accounts: 'account',
  devices: 'device',
  ips: 'ip',
  telemetry_ids: 'telemetry_id',
  countries: 'country',
  asns: 'asn',
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
  const events = part === 'visitor' ? [] : [...COMMON_EVENTS, ...ownEvents];
  const measures = [...DECISION_MEASURES, ...LABEL_MEASURES, ...events];
  return [
    firstSeen(part),
    ...pairs.filter((kind) => kind !== 'asns').map((kind) => pairFirstSeen(part, kind)),
    ...pairs.filter((kind) => kind !== 'ips').map((kind) => known(part, kind)),
    ...measures.flatMap(counted),
    ...kinds.flatMap(distinct),
  ];
}

function firstSeen(part: ActivityPart): ActivitySignal {
  return {
    name: 'first_seen_seconds',
    kind: 'int',
    meaning: `Seconds since its first request; forgotten after 30 days without one, of an account after 90.`,
    isLate: false,
    most: null,
    read: ({ state, sinceSeconds, nowSeconds }) => {
      const isMissed = isWithin(sinceSeconds, nowSeconds, ACTIVITY_LIFE_SECONDS[part]);
      if (isMissed && state.firstSeconds >= sinceSeconds) return undefined;
      return Math.max(0, nowSeconds - state.firstSeconds);
    },
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
    read: (view) => {
      const { sinceSeconds, nowSeconds } = view;
      const found = findOwn(view, kind);
      if (found === undefined || found.hasGap) return undefined;
      const first = found.first ?? nowSeconds;
      if (isWithin(sinceSeconds, nowSeconds, WINDOW_SECONDS_MAX) && first >= sinceSeconds) return undefined;
      return Math.max(0, nowSeconds - first);
    },
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
    read: (view) => {
      const { sinceSeconds, nowSeconds } = view;
      const found = findOwn(view, kind);
      if (found === undefined) return undefined;
      if (isWithin(found.accepted ?? 0, nowSeconds, WINDOW_SECONDS_MAX)) return true;
      return found.hasGap || isWithin(sinceSeconds, nowSeconds, WINDOW_SECONDS_MAX) ? undefined : false;
    },
  };
}

function counted(measure: string): ActivitySignal[] {
  const number = measureNumber(measure);
  const what = MEASURED[measure] ?? `Events \`${measure}\``;
  return inWindows(measure, what, { most: null, isLate: false }, (view, fromSeconds) =>
    countAfter(view.state, number, fromSeconds),
  );
}

function distinct(kind: SeenKind): ActivitySignal[] {
  const place = SEEN_KINDS.indexOf(kind);
  const what = `Distinct ${kind.replace('_', ' ')}, this one included, up to ${DISTINCT_MAX},`;
  const traits = { most: DISTINCT_MAX, isLate: isPlace(SEEN_KINDS.indexOf(kind)) };
  return inWindows(kind, what, traits, ({ state, own }, fromSeconds) => {
    const value = own[place];
    if (value === undefined) return undefined;
    const others = distinctAfter(state, place, fromSeconds);
    if (value === null) return others;
    const values = state.seen[place] ?? [];
    const last = values[findValue(values, value) + 2] ?? 0;
    const isAmong = findValue(values, value) !== -1 && last > fromSeconds;
    return Math.min(DISTINCT_MAX, isAmong ? others : others + 1);
  });
}

function inWindows(
  name: string,
  what: string,
  traits: Pick<ActivitySignal, 'most' | 'isLate'>,
  read: (view: ActivityView, fromSeconds: number) => number | undefined,
): ActivitySignal[] {
  return Object.entries(ACTIVITY_WINDOWS).map(([window, seconds]) => ({
    name: `${name}_${window}`,
    kind: 'int',
    meaning: `${what} in the last ${window}.`,
    ...traits,
    read: (view) => {
      const fromSeconds = view.nowSeconds - seconds;
      return view.sinceSeconds > fromSeconds ? undefined : read(view, fromSeconds);
    },
  }));
}

/** A time that is not 0, and not as long ago. */
function isWithin(timeSeconds: number, nowSeconds: number, seconds: number): boolean {
  return timeSeconds > nowSeconds - seconds && timeSeconds > 0;
}

/**
 * The value of this request among those that are kept, and whether some had to make room; undefined where the
 * request has none, or it is not known.
 */
function findOwn({ state, own, nowSeconds }: ActivityView, kind: SeenKind) {
  const place = SEEN_KINDS.indexOf(kind);
  const name = own[place];
  if (name === undefined || name === null) return undefined;
  const values = state.seen[place] ?? [];
  const at = findValue(values, name);
  const [, first, , accepted] = at === -1 ? [] : values.slice(at, at + 4);
  return { first, accepted, hasGap: hasGap(values, nowSeconds) };
}
