import type { EvidenceUse } from '../decision.ts';
import { cacheLevelOf, cacheOf, type Signals } from '../evidence.ts';
import type { EvidenceRecord } from './decision-record.ts';

/**
 * What a record keeps of one provider. It remembers the stored signals that its own were made of, by adding
 * ages: many records have those in common, and with them nearly all of their text. They are no part of the
 * record.
 */
export class RecordedEvidence implements EvidenceRecord {
  readonly outcome: EvidenceRecord['outcome'];
  readonly cache: EvidenceRecord['cache'];
  readonly cache_level: EvidenceRecord['cache_level'];
  readonly latency_ms: number;
  readonly age_ms: number;
  readonly request_id: string | null;
  readonly suspect: boolean;
  readonly signals: Signals | null;
  readonly #stored: Signals | null;

  constructor(use: EvidenceUse) {
    this.outcome = use.outcome;
    this.cache = cacheOf(use.origin);
    this.cache_level = cacheLevelOf(use.origin);
    this.latency_ms = roundToHundredth(use.latencyMs);
    this.age_ms = use.ageMs;
    this.request_id = use.upstreamRequestId;
    this.suspect = use.suspect;
    this.signals = use.signals;
    this.#stored = use.stored;
  }

  /** The stored signals of a piece of evidence; null without any, and where they are not known. */
  static storedOf(evidence: EvidenceRecord): Signals | null {
    return evidence instanceof RecordedEvidence ? evidence.#stored : null;
  }
}

/** Milliseconds as records have them. */
export function roundToHundredth(ms: number): number {
  return Math.round(ms * 100) / 100;
}
