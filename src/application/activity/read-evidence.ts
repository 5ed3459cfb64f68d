import { type DeviceSighting, hardwareOf, isNear, sightingOf } from '../../domain/activity/evidence-names.ts';
import type { AddressPlace } from '../../domain/contradictions/reference-data.ts';
import { type Evidence, isDefinite, type OtherNames, type Signals } from '../../domain/evidence.ts';
import type { Coordinates } from '../../domain/great-circle.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import type { ProviderSlot } from '../evidence/gather-evidence.ts';

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
export interface OriginEvidence {
  readonly slot: ProviderSlot;
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

/** By the first provider of telemetry ids that reports it; hardware by those of devices. */
export function readOrigin(gathered: readonly OriginEvidence[], moment: OriginMoment): EvidenceOrigin {
  let [visitor, country, asn]: [string | null, string | null, number | null] = [null, null, null];
  let [isLost, isHardwareLost] = [false, false];
  let hardware: readonly string[] = SAYS_NOTHING.hardware;
  let otherNames: OtherNames = NO_NAMES;
  let coordinates: Coordinates | null = coordinatesOf(moment.place);
  for (const { slot, evidence } of gathered) {
    if (slot.source === null) continue;
    if (!isDefinite(evidence.outcome)) {
      if (slot.subject === 'telemetry_id') isLost = true;
      else if (slot.id === 'mobilerun') isHardwareLost = true;
    }
    if (evidence.signals === null) continue;
    if (evidence.otherNames !== undefined) otherNames = { ...otherNames, ...evidence.otherNames };
    const said = readSignals(slot, evidence.signals);
    visitor ??= said.visitor;
    country ??= said.country;
    asn ??= said.asn;
    if (said.hardware.length > 0)
      hardware = hardware.length === 0 ? said.hardware : [...hardware, ...said.hardware];
    if (coordinates === null && said.sighting !== null && isNear(said.sighting, moment.nowMs))
      coordinates = said.sighting.coordinates;
  }
  return { visitor, country, asn, coordinates, hardware, otherNames, isLost, isHardwareLost };
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
