import type { DecisionRecord, LogRecord } from './decision-record.ts';
import type { PackedRecords } from './packed-records.ts';
import { fillRecord } from './record-row.ts';
import { CUT } from './signals-text.ts';

/** A record of a batch. */
interface UnpackedRecord {
  readonly record: LogRecord;
  /**
   * The same object for all records of one frame: they differ from it in what a frame leaves open alone, and
   * share with it what it holds. Null for a record without a frame.
   */
  readonly frame: DecisionRecord | null;
}

/** Where values stand in an object that others are made of: its own, and those of its members. */
interface Plan {
  readonly template: Readonly<Record<string, unknown>>;
  readonly cuts: readonly (readonly [name: string, place: number])[];
  readonly members: readonly (readonly [name: string, plan: Plan])[];
}

/** Frames that are remembered: some kilobytes each. */
const REMEMBERED_MAX = 1_000;

/**
 * Builds what gives the records of packed batches back, in their order. What a frame holds is parsed once, and is
 * the same object in all records that have it, of several batches too: it must not be changed.
 */
export function createRecordUnpacker(): (packed: PackedRecords) => UnpackedRecord[] {
  const frameOf = parseOnce((text) => JSON.parse(text) as DecisionRecord);
  const planOf = parseOnce((text) => toPlan(JSON.parse(text) as Plan['template'], { next: 1 }));
  return ({ frames, signals, rows }) => {
    const templates = frames.map(frameOf);
    const plans = signals.map(planOf);
    const partOf = (value: unknown): unknown => {
      if (!Array.isArray(value)) return value;
      return fillPlan(given(plans[Number(value[0])]), value);
    };
    // What was packed were records.
    return (JSON.parse(rows) as unknown[]).map((row): UnpackedRecord => {
      if (!Array.isArray(row)) return { record: row as LogRecord, frame: null };
      const frame = given(templates[Number(row[0])]);
      return { record: fillRecord(frame, row, partOf), frame };
    });
  };
}

function toPlan(template: Plan['template'], places: { next: number }): Plan {
  const cuts: (readonly [string, number])[] = [];
  const members: (readonly [string, Plan])[] = [];
  for (const [name, value] of Object.entries(template)) {
    if (value === CUT) {
      cuts.push([name, places.next]);
      places.next += 1;
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const plan = toPlan(value as Plan['template'], places);
      if (plan.cuts.length + plan.members.length > 0) members.push([name, plan]);
    }
  }
  return { template, cuts, members };
}

function fillPlan({ template, cuts, members }: Plan, values: readonly unknown[]): Record<string, unknown> {
  const filled = { ...template };
  for (const [name, place] of cuts) filled[name] = values[place];
  for (const [name, plan] of members) filled[name] = fillPlan(plan, values);
  return filled;
}

function parseOnce<Parsed>(parse: (text: string) => Parsed): (text: string) => Parsed {
  const known = new Map<string, Parsed>();
  return (text) => {
    let parsed = known.get(text);
    if (parsed === undefined) {
      parsed = parse(text);
      if (known.size >= REMEMBERED_MAX) known.clear();
      known.set(text, parsed);
    }
    return parsed;
  };
}

function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RangeError('a batch that lacks what its records have in common');
  return value;
}
