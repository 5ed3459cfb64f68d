import { type DeviceSighting, hardwareOf, isNear, sightingOf } from '../../domain/activity/evidence-names.ts';
import type { AddressPlace } from '../../domain/contradictions/reference-data.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Evidence, OtherNames, Signals } from '../../domain/evidence.ts';
import type { Coordinates } from '../../domain/great-circle.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import { type Gathered, isEvidenceLost, type ProviderSlot } from '../evidence/gather-evidence.ts';

/** What evidence says of the request, and whether some of it may be lost. */
export interface EvidenceOrigin extends SubjectPlace {
  /** 32 hex digits. */
  readonly visitor: string | null;
  /** Likewise, one for each identifier. */
  readonly hardware: readonly string[];
  /** What these are called under other hash keys. */
  readonly otherNames: OtherNames;
  /** Some evidence that would tell the visitor or the place was lost. */
  readonly isLost: boolean;
  /** Some evidence that would tell the hardware was lost. */
  readonly isHardwareLost: boolean;
  readonly coordinates: Coordinates | null;
}

/** One piece of evidence, as far as it matters here. */
export interface OriginEvidence extends Pick<Gathered, 'slot' | 'origin'> {
  readonly evidence: Pick<Evidence, 'outcome' | 'signals'> & {
    readonly otherNames?: OtherNames | undefined;
  };
}

/** When it is read, Unix milliseconds, and where the address of the request is. */
interface OriginMoment {
  readonly nowMs: number;
  readonly place: AddressPlace | null;
}

/** What one piece of evidence says, whenever it is read. */
interface Said {
  readonly visitor: string | null;
  readonly country: string | null;
  readonly asn: number | null;
  readonly hardware: readonly string[];
  readonly sighting: DeviceSighting | null;
}

const HASH = /^[0-9a-f]{32}$/;
const NO_NAMES: OtherNames = {};
const SAYS_NOTHING: Said = { visitor: null, country: null, asn: null, hardware: [], sighting: null };

/** By signals, which never change: each decision about a subject reads the same object twice. */
const known = new WeakMap<Signals, Said>();

/** What was read last: one decision reads the same evidence more than once. */
let latest: { gathered: readonly OriginEvidence[]; moment: OriginMoment; origin: EvidenceOrigin } | null =
  null;

/** By the first provider of telemetry ids that reports it; hardware by those of devices. */
export function readOrigin(gathered: readonly OriginEvidence[], moment: OriginMoment): EvidenceOrigin {
  const { nowMs, place } = moment;
  if (latest?.gathered === gathered && latest.moment.nowMs === nowMs && latest.moment.place === place)
    return latest.origin;
  const origin = beginOrigin(place);
  for (const piece of gathered) {
    const { slot, evidence } = piece;
    if (isEvidenceLost(piece)) addLoss(origin, slot);
    addEvidence(origin, slot, evidence.signals, evidence.otherNames, nowMs);
  }
  latest = { gathered, moment, origin };
  return origin;
}

/** The same of a decision, which has one piece for each slot, in slot order. */
export function readDecidedOrigin(
  { evidence, place, decidedAtMs }: Pick<Decision, 'evidence' | 'place' | 'decidedAtMs'>,
  slots: readonly ProviderSlot[],
): EvidenceOrigin {
  const origin = beginOrigin(place);
  let next = 0;
  for (const slot of slots) {
    const use = evidence[next];
    next += 1;
    if (use === undefined) continue;
    if (isEvidenceLost({ slot, evidence: use, origin: use.origin })) addLoss(origin, slot);
    addEvidence(origin, slot, use.stored, use.otherNames, decidedAtMs);
  }
  return origin;
}

type Writable<Value> = { -readonly [Name in keyof Value]: Value[Name] };

function beginOrigin(place: AddressPlace | null): Writable<EvidenceOrigin> {
  return {
    visitor: null,
    country: null,
    asn: null,
    coordinates: coordinatesOf(place),
    hardware: SAYS_NOTHING.hardware,
    otherNames: NO_NAMES,
    isLost: false,
    isHardwareLost: false,
  };
}

function addLoss(origin: Writable<EvidenceOrigin>, { id, subject, source }: ProviderSlot): void {
  if (source === null) return;
  if (subject === 'telemetry_id') origin.isLost = true;
  else if (id === 'mobilerun') origin.isHardwareLost = true;
}

function addEvidence(
  origin: Writable<EvidenceOrigin>,
  slot: ProviderSlot,
  signals: Signals | null,
  otherNames: OtherNames | undefined,
  nowMs: number,
): void {
  if (slot.source === null || signals === null) return;
  if (otherNames !== undefined) origin.otherNames = { ...origin.otherNames, ...otherNames };
  const { visitor, country, asn, hardware, sighting } = readSignals(slot, signals);
  origin.visitor ??= visitor;
  origin.country ??= country;
  origin.asn ??= asn;
  if (hardware.length > 0)
    origin.hardware = origin.hardware.length === 0 ? hardware : [...origin.hardware, ...hardware];
  if (origin.coordinates === null && sighting !== null && isNear(sighting, nowMs))
    origin.coordinates = sighting.coordinates;
}

function readSignals(slot: ProviderSlot, signals: Signals): Said {
  const before = known.get(signals);
  if (before !== undefined) return before;
  const said = slot.subject === 'telemetry_id' ? readTelemetry(slot, signals) : readDevice(slot, signals);
  known.set(signals, said);
  return said;
}

function readTelemetry({ source }: ProviderSlot, signals: Signals): Said {
  const visitor = source?.visitorOf(signals) ?? null;
  // Stored evidence is of any version.
  const isHash = visitor !== null && HASH.test(visitor);
  return { ...SAYS_NOTHING, ...source?.placeOf(signals), visitor: isHash ? visitor : null };
}

function readDevice({ id }: ProviderSlot, signals: Signals): Said {
  const hardware = hardwareOf(id, signals).filter((hash) => HASH.test(hash));
  return { ...SAYS_NOTHING, hardware, sighting: sightingOf(id, signals) };
}

function coordinatesOf(place: AddressPlace | null): Coordinates | null {
  const { latitude, longitude } = place ?? {};
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude };
}
