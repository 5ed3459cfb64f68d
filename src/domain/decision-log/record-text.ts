import type { DecisionRecord, LogRecord } from './decision-record.ts';
import { fillFrame, haveOneFrame, type RecordFrame, toFrame } from './record-frame.ts';
import { createSignalsTexts } from './signals-text.ts';

/**
 * How many results of policies are remembered, and how many kinds of records with each. A kind takes about 6
 * KiB, so that all of them take 6 MiB at most.
 */
const RESULTS_MAX = 32;
const KINDS_MAX = 32;

/** Records that have a frame in common. It is made for the second of them. */
interface Kind {
  readonly first: DecisionRecord;
  /** Undefined before it is made; null where it cannot be. */
  frame: RecordFrame | null | undefined;
}

interface Kinds {
  readonly list: Kind[];
  /** The place of the one that makes room next. */
  oldest: number;
}

/**
 * Builds what turns records into the lines of a log, without their ends: byte for byte as `JSON.stringify`
 * does, in half of its time for records of which others of the same kind came before. Most of a record is the
 * same for thousands of them: every rule with its result, and the signals of evidence that is used again.
 * Records must not change.
 */
export function createRecordTexts(): (record: LogRecord) => string {
  const frameOf = createRecordFrames();
  const signalsTextOf = createSignalsTexts();
  return (record) => {
    if (record.kind !== 'decision') return JSON.stringify(record);
    const frame = frameOf(record);
    return frame === null ? JSON.stringify(record) : fillFrame(frame, record, signalsTextOf);
  };
}

/**
 * Builds what finds the frame of a record: null for the first of its kind, and where there can be none. Records
 * must not change.
 */
export function createRecordFrames(): (record: DecisionRecord) => RecordFrame | null {
  const kindsOf = new Map<DecisionRecord['rules'], Kinds>();
  return (record) => findFrame(kindsOf, record);
}

function findFrame(kindsOf: Map<DecisionRecord['rules'], Kinds>, record: DecisionRecord): RecordFrame | null {
  let kinds = kindsOf.get(record.rules);
  if (kinds === undefined) {
    if (kindsOf.size >= RESULTS_MAX) kindsOf.clear();
    kinds = { list: [], oldest: 0 };
    kindsOf.set(record.rules, kinds);
  }
  for (const kind of kinds.list) {
    if (!haveOneFrame(kind.first, record)) continue;
    if (kind.frame === undefined) kind.frame = toFrame(kind.first);
    return kind.frame;
  }
  kinds.list[kinds.oldest] = { first: record, frame: undefined };
  kinds.oldest = (kinds.oldest + 1) % KINDS_MAX;
  return null;
}
