import { type Evidence, isDefinite } from '../../domain/evidence.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import type { ProviderSlot } from '../evidence/gather-evidence.ts';

/** What evidence says of the request, and whether some of it may be lost. */
export interface EvidenceOrigin extends SubjectPlace {
  /** 32 hex digits. */
  readonly visitor: string | null;
  readonly isLost: boolean;
}

/** One piece of evidence, as far as it matters here. */
export interface OriginEvidence {
  readonly slot: ProviderSlot;
  readonly evidence: Pick<Evidence, 'outcome' | 'signals'>;
}

const HASH = /^[0-9a-f]{32}$/;

/** By the first provider of telemetry ids that reports it. */
export function readOrigin(gathered: readonly OriginEvidence[]): EvidenceOrigin {
  let [visitor, country, asn]: [string | null, string | null, number | null] = [null, null, null];
  let isLost = false;
  for (const { slot, evidence } of gathered) {
    const { source, subject } = slot;
    if (source === null || subject !== 'telemetry_id') continue;
    if (!isDefinite(evidence.outcome)) isLost = true;
    if (evidence.signals === null) continue;
    const place = source.placeOf(evidence.signals);
    visitor ??= source.visitorOf(evidence.signals);
    country ??= place.country;
    asn ??= place.asn;
  }
  // Stored evidence is of any version.
  return { visitor: visitor !== null && HASH.test(visitor) ? visitor : null, country, asn, isLost };
}
