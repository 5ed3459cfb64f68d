/**
 * The parts of a subject whose activity is kept. An IPv6 address is kept by its /64. Hardware is known by several
 * identifiers, each with an entry of its own.
 */
export const ACTIVITY_PARTS = ['account', 'device', 'ip', 'visitor', 'hardware'] as const;

/** A part of a subject whose activity is kept. */
export type ActivityPart = (typeof ACTIVITY_PARTS)[number];

/** What distinct values are kept of, in the order in which they are stored. */
export const SEEN_KINDS = [
  'accounts',
  'devices',
  'ips',
  'telemetry_ids',
  'countries',
  'asns',
  'places',
] as const;

/** What a distinct value is one of. */
export type SeenKind = (typeof SEEN_KINDS)[number];

const OWN_KINDS: Readonly<Record<ActivityPart, SeenKind | null>> = {
  account: 'accounts',
  device: 'devices',
  ip: 'ips',
  visitor: null,
  hardware: null,
};
/** What is kept of hardware: whoever changes other things has it still. */
const HARDWARE_KINDS: readonly (SeenKind | undefined)[] = ['accounts', 'devices'];

/** The kinds of values that policies can count of a part: all but its own. */
export function kindsOf(part: ActivityPart): readonly SeenKind[] {
  return SEEN_KINDS.filter((kind, place) => kind !== 'places' && isKindOf(part, place));
}

/** True where values of the kind at this place of SEEN_KINDS are kept of the part. */
function isKindOf(part: ActivityPart, kind: number): boolean {
  if (part === 'hardware') return HARDWARE_KINDS.includes(SEEN_KINDS[kind]);
  return SEEN_KINDS[kind] === 'places' ? part === 'account' : SEEN_KINDS[kind] !== OWN_KINDS[part];
}

/** The places in SEEN_KINDS of the kinds that are kept of each part: every decision reads it for every part. */
export const KEPT_KINDS: Readonly<Record<ActivityPart, readonly number[]>> = {
  account: placesOfKinds('account'),
  device: placesOfKinds('device'),
  ip: placesOfKinds('ip'),
  visitor: placesOfKinds('visitor'),
  hardware: placesOfKinds('hardware'),
};

function placesOfKinds(part: ActivityPart): readonly number[] {
  return [...SEEN_KINDS.keys()].filter((kind) => isKindOf(part, kind));
}

/** True for a part that evidence alone names. */
export function isNamedByEvidence(part: ActivityPart): part is 'visitor' | 'hardware' {
  return part === 'visitor' || part === 'hardware';
}

/** True where values of the kind at this place of SEEN_KINDS come with evidence. */
export function isPlace(kind: number): boolean {
  return ARE_PLACES[kind] === true;
}

const ARE_PLACES = SEEN_KINDS.map((kind) => kind === 'countries' || kind === 'asns' || kind === 'places');

/** The kinds of which an account also keeps when each value was first seen and last accepted. */
const PAIRED_KINDS: readonly SeenKind[] = ['devices', 'ips', 'countries', 'asns', 'places'];

/** True where the part keeps pairs with values of this kind. */
export function isPaired(part: ActivityPart, kind: SeenKind): boolean {
  return part === 'account' && PAIRED_KINDS.includes(kind);
}

/** The windows, by their names, in seconds. */
export const ACTIVITY_WINDOWS = {
  '1m': 60,
  '10m': 600,
  '1h': 3_600,
  '24h': 86_400,
  '7d': 604_800,
  '30d': 2_592_000,
} as const;

/** The longest window: nothing that is older is counted. */
export const WINDOW_SECONDS_MAX = ACTIVITY_WINDOWS['30d'];

/** Counts of distinct values are exact up to this, and stop there. */
export const DISTINCT_MAX = 64;
