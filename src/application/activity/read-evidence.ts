import { hardwareOf, placeOfDevice } from '../../domain/activity/evidence-names.ts';
import type { AddressPlace } from '../../domain/contradictions/reference-data.ts';
import { type Evidence, isDefinite } from '../../domain/evidence.ts';
import type { Coordinates } from '../../domain/great-circle.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import type { ProviderSlot } from '../evidence/gather-evidence.ts';

/** What evidence says of the request, and whether some of it may be lost. */
export interface EvidenceOrigin extends SubjectPlace {
  /** 32 hex digits. */
  readonly visitor: string | null;
  /** Likewise, one for each identifier. */
  readonly hardware: readonly string[];
  /** Some evidence that would tell the visitor or the place was lost. */
  readonly isLost: boolean;
  /** Some evidence that would tell the hardware was lost. */
  readonly isHardwareLost: boolean;
}

/** One piece of evidence, as far as it matters here. */
export interface OriginEvidence {
  readonly slot: ProviderSlot;
  readonly evidence: Pick<Evidence, 'outcome' | 'signals'>;
}

/** When it is read, Unix milliseconds, and where the address of the request is. */
interface OriginMoment {
  readonly nowMs: number;
  readonly place: AddressPlace | null;
}

const HASH = /^[0-9a-f]{32}$/;

/** By the first provider of telemetry ids that reports it; hardware by those of devices. */
export function readOrigin(gathered: readonly OriginEvidence[], moment: OriginMoment): EvidenceOrigin {
  let [visitor, country, asn]: [string | null, string | null, number | null] = [null, null, null];
  let [isLost, isHardwareLost] = [false, false];
  const hardware: string[] = [];
  let coordinates: Coordinates | null = coordinatesOf(moment.place);
  for (const { slot, evidence } of gathered) {
    const { source, subject } = slot;
    if (source === null) continue;
    const isOfTelemetry = subject === 'telemetry_id';
    if (!isDefinite(evidence.outcome) && isOfTelemetry) isLost = true;
    if (!isDefinite(evidence.outcome) && slot.id === 'mobilerun') isHardwareLost = true;
    if (evidence.signals === null) continue;
    if (!isOfTelemetry) {
      hardware.push(...hardwareOf(slot.id, evidence.signals).filter((hash) => HASH.test(hash)));
      coordinates ??= placeOfDevice(slot.id, evidence.signals, moment.nowMs);
      continue;
    }
    const place = source.placeOf(evidence.signals);
    visitor ??= source.visitorOf(evidence.signals);
    country ??= place.country;
    asn ??= place.asn;
  }
  // Stored evidence is of any version.
  const known = visitor !== null && HASH.test(visitor) ? visitor : null;
  return { visitor: known, country, asn, coordinates, hardware, isLost, isHardwareLost };
}

function coordinatesOf(place: AddressPlace | null): Coordinates | null {
  const { latitude, longitude } = place ?? {};
  return latitude === undefined || longitude === undefined ? null : { latitude, longitude };
}
