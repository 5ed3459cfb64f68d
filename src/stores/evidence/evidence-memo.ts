import { LRUCache } from 'lru-cache';
import type { Evidence } from '../../domain/evidence.ts';
import { decodeEvidence } from './evidence-codec.ts';

interface Decoded {
  readonly text: string;
  readonly evidence: Evidence;
}

interface EvidenceMemoOptions {
  /** At least 1. */
  readonly entriesMax?: number;
  readonly bytesMax?: number;
}

/** 32 MiB, and no more entries than that, however small they are. */
const BYTES_MAX = 33_554_432;
const ENTRIES_MAX = 20_000;
/** An entry costs so much beside its text, and the object that is read from a text about twice the text. */
const ENTRY_BYTES = 400;
const BYTES_PER_CHAR = 4;

/**
 * Builds a `decodeEvidence` that reads a text again only where the text under its key has changed. What it
 * returns is shared by all who ask, and frozen. It holds as much in memory as it is told, and no refused
 * text.
 */
export function createEvidenceMemo(options: EvidenceMemoOptions = {}): typeof decodeEvidence {
  const { bytesMax = BYTES_MAX, entriesMax = ENTRIES_MAX } = options;
  // An entry counts as its share of all bytes at least, so that one bound serves as both.
  const shareMin = Math.ceil(bytesMax / entriesMax);
  const decoded = new LRUCache<string, Decoded>({
    maxSize: bytesMax,
    sizeCalculation: ({ text }) => Math.max(shareMin, ENTRY_BYTES + BYTES_PER_CHAR * text.length),
  });
  return (text, storeKey) => {
    const known = decoded.get(storeKey);
    if (known !== undefined && known.text === text) return known.evidence;
    const evidence = decodeEvidence(text, storeKey);
    if (evidence !== null) decoded.set(storeKey, { text, evidence: deepFreeze(evidence) });
    return evidence;
  };
}

/** Its depth is bounded by that of the signals. */
function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
