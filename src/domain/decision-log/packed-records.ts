import type { DecisionRecord, EvidenceRecord, LogRecord } from './decision-record.ts';
import { CUT_TEXT, type RecordFrame } from './record-frame.ts';
import { FACT_CUTS, toRow } from './record-row.ts';
import { createRecordFrames } from './record-text.ts';
import { createShapeFrames } from './shape-frames.ts';
import { createSignalsFrames, type SignalsFrame, signalsValues } from './signals-text.ts';

/**
 * Records of one batch for another thread: what many of them have in common once, and of each what is its own.
 * All texts are JSON, which unpackRecords reads. Nothing but the batch itself is needed for that.
 */
export interface PackedRecords {
  /** What records have in common, with a mark wherever a value is cut out. */
  readonly frames: readonly string[];
  /** The same of signals, and of facts. */
  readonly signals: readonly string[];
  /**
   * A list with one item for each record: the record itself, or a list of the number of its frame and of its
   * values in their order. Signals and facts among them are themselves, or a list of the number of theirs and of
   * values.
   */
  readonly rows: string;
}

/** Builds what packs batches; see createRecordTexts. Records must not change. */
export function createRecordPacker(): (records: readonly LogRecord[]) => PackedRecords {
  const frameOf = createRecordFrames();
  const signalsFrameOf = createSignalsFrames();
  const shapesOf = FACT_CUTS.map(createShapeFrames);
  const textOf = remember(({ parts }: RecordFrame | SignalsFrame) => parts.join(CUT_TEXT));
  return (records) => {
    const [frames, signals] = [new Numbers(), new Numbers()];
    const signalsOf = (evidence: EvidenceRecord): unknown => {
      const frame = signalsFrameOf(evidence);
      if (frame === null || evidence.signals === null) return evidence.signals;
      const values = signalsValues(frame, evidence.signals);
      return (values && [signals.of(textOf(frame)), ...values]) ?? evidence.signals;
    };
    const numberOf = (text: string) => signals.of(text);
    /** None of them is a list. */
    const factOf = (value: unknown, place: number): unknown =>
      typeof value === 'object' && value !== null ? shapesOf[place]?.(value, numberOf) : value;
    const rows = records.map((record) => {
      const frame = record.kind === 'decision' ? frameOf(record) : null;
      if (frame === null) return record;
      // It has a frame: it is a decision.
      return toRow(frames.of(textOf(frame)), frame, record as DecisionRecord, { signalsOf, factOf });
    });
    return { frames: frames.texts, signals: signals.texts, rows: JSON.stringify(rows) };
  };
}

/** Numbers texts from 0, in the order in which they come. */
class Numbers {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.texts.length;
      this.texts.push(text);
      this.#numbers.set(text, number);
    }
    return number;
  }
}

/** Computes a value once for each object, for as long as that is there. */
function remember<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, Value>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = compute(key);
      known.set(key, value);
    }
    return value;
  };
}
