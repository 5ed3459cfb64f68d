import type { Signals } from '../evidence.ts';
import type { EvidenceRecord } from './decision-record.ts';
import { RecordedEvidence } from './recorded-evidence.ts';

/** The text of signals, cut where their ages stand. */
export interface SignalsFrame {
  /** One more than there are cuts. */
  readonly parts: readonly string[];
  /** The names that lead to the number at each cut. */
  readonly paths: readonly (readonly string[])[];
}

/** Stands where a text is cut: a value that nobody gives. */
export const CUT = '\u0000';
const CUT_TEXT = JSON.stringify(CUT);

/**
 * Builds what gives the text of the signals of a piece of evidence, as `JSON.stringify` does, with the help of
 * their frame.
 */
export function createSignalsTexts(): (evidence: EvidenceRecord) => string {
  const frameOf = createSignalsFrames();
  return (evidence) => {
    const { signals } = evidence;
    if (signals === null) return 'null';
    const frame = frameOf(evidence);
    return (frame ? fillSignalsFrame(frame, signals) : null) ?? JSON.stringify(signals);
  };
}

/**
 * Builds what finds the frame of the signals of a piece of evidence; null without one. What is alike for all
 * records of one piece of stored evidence is written when the second of them comes, and kept for as long as the
 * evidence is: about 1.2 KB.
 */
export function createSignalsFrames(): (evidence: EvidenceRecord) => SignalsFrame | null {
  /**
   * By how many signals there are: reading adds some that not every request has. Null before the second record,
   * and where the signals cannot be cut.
   */
  const frames = new WeakMap<Signals, Map<number, SignalsFrame | null>>();
  return (evidence) => {
    const { signals } = evidence;
    if (signals === null) return null;
    const stored = RecordedEvidence.storedOf(evidence);
    if (stored === null) return null;
    let ofStored = frames.get(stored);
    if (ofStored === undefined) {
      ofStored = new Map();
      frames.set(stored, ofStored);
    }
    const names = Object.keys(signals).length;
    let frame = ofStored.get(names);
    // A record's signals were written from Signals.
    if (frame === undefined) ofStored.set(names, null);
    else if (frame === null) {
      frame = toSignalsFrame(stored, signals as Signals);
      if (frame !== null) ofStored.set(names, frame);
    }
    return frame ?? null;
  };
}

/**
 * The frame of signals as they were read: cut are the numbers, and what is true or false, that the stored
 * signals lack or have otherwise.
 * Null where the signals themselves hold what marks a cut.
 */
export function toSignalsFrame(stored: Signals, read: Signals): SignalsFrame | null {
  const paths: string[][] = [];
  const parts = JSON.stringify(cutAges(stored, read, [], paths)).split(CUT_TEXT);
  return parts.length === paths.length + 1 ? { parts, paths } : null;
}

function cutAges(stored: unknown, read: object, path: readonly string[], paths: string[][]): object {
  const cut: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(read)) {
    const before: unknown = isObject(stored) ? Reflect.get(stored, name) : null;
    if (value === before || Array.isArray(value)) cut[name] = value;
    else if (typeof value === 'number' || typeof value === 'boolean') {
      paths.push([...path, name]);
      cut[name] = CUT;
    } else {
      cut[name] = isObject(value) ? cutAges(before, value, [...path, name], paths) : value;
    }
  }
  return cut;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The text of signals that have as many names as this frame; null where they are not the same names. */
export function fillSignalsFrame(frame: SignalsFrame, signals: object): string | null {
  const values = signalsValues(frame, signals);
  if (values === null) return null;
  let text = frame.parts[0] ?? '';
  for (let place = 0; place < values.length; place += 1)
    text += JSON.stringify(values[place]) + frame.parts[place + 1];
  return text;
}

/** What stands at the cuts of these signals, likewise. */
export function signalsValues({ paths }: SignalsFrame, signals: object): unknown[] | null {
  const values: unknown[] = [];
  for (const path of paths) {
    let value: unknown = signals;
    for (const name of path) value = (value as Record<string, unknown>)[name];
    if (value === undefined) return null;
    values.push(value);
  }
  return values;
}
