import {
  type ClassWriter,
  project,
  projectRecord,
  type ReadNode,
  type RecordClasses,
} from '../../../domain/backtest/record-classes.ts';
import { exactly, type ValueClass } from '../../../domain/backtest/value-class.ts';
import { fillForm } from './record-form.ts';
import { fillSignals } from './signals-form.ts';

/** A value that was taken out of a form, by its place among those of its kind. */
class Slot {
  readonly kind: 'number' | 'time' | 'other';
  readonly place: number;

  constructor(kind: Slot['kind'], place: number) {
    this.kind = kind;
    this.place = place;
  }
}

/** A value that stands beside a form, and what is told apart of it. */
export interface SlotRead {
  readonly kind: 'number' | 'time';
  readonly place: number;
  readonly classOf: ValueClass;
}

/** What is told apart of all records, or signals, of one form. */
export interface FormTemplate {
  /** What the form itself says of it. */
  readonly base: string;
  readonly reads: readonly SlotRead[];
  /** True where what is told apart can only be found by putting it together. */
  readonly isWhole: boolean;
}

/** A reference to signals in the form of a record. */
interface EvidenceRead {
  readonly node: ReadNode;
  /** The place of the number of the evidence among the numbers of the record. */
  readonly idPlace: number;
  /** Where its times are. */
  readonly times: readonly Pick<SlotRead, 'kind' | 'place'>[];
}

/** The same of a record. */
export interface RecordTemplate extends FormTemplate {
  readonly evidence: readonly EvidenceRead[];
  /** Null where the record has none; undefined where only the record tells. */
  readonly action: string | null | undefined;
}

type TemplateRecord = Parameters<typeof projectRecord>[1] & { readonly kind?: unknown };

/** The template of the form of a record; null for one that is no decision. */
export function toRecordTemplate(classes: RecordClasses, form: string): RecordTemplate | null {
  const counts = { number: 0, time: 0, other: 0 };
  const next = (kind: Slot['kind']) => new Slot(kind, counts[kind]++);
  const other = () => next('other');
  const record = fillForm(form, {
    hash: other,
    number: () => next('number'),
    time: () => next('time'),
    id: other,
    uuidId: other,
  }) as TemplateRecord;
  if (record.kind !== 'decision') return null;
  const writer = new TemplateWriter();
  const base = JSON.stringify(projectRecord(classes, record, writer));
  const { reads, evidence, isWhole } = writer;
  const action: unknown = record.action;
  return { base, reads, evidence, isWhole, action: action instanceof Slot ? undefined : record.action };
}

/** The template of the form of signals. */
export function toSignalsTemplate(node: ReadNode, form: string): FormTemplate {
  const counts = { number: 0, time: 0, other: 0 };
  const next = (kind: Slot['kind']) => new Slot(kind, counts[kind]++);
  const signals = fillSignals(form, {
    hash: () => next('other'),
    number: () => next('number'),
    time: () => next('time'),
  });
  const writer = new TemplateWriter();
  const base = JSON.stringify(project(node, signals, writer));
  return { base, reads: writer.reads, isWhole: writer.isWhole };
}

const TAKEN_OUT = '\u0000';

/** Notes what is read of values that are not in a form. */
class TemplateWriter implements ClassWriter {
  readonly reads: SlotRead[] = [];
  readonly evidence: EvidenceRead[] = [];
  isWhole = false;

  value(value: unknown, classOf: ValueClass | null): unknown {
    if (value instanceof Slot) return this.#note(value, classOf ?? exactly);
    // Of what is not in the form as a whole each part is told apart.
    if (hasSlot(value)) return this.#noteWithin(value);
    return classOf === null ? value : classOf(value);
  }

  signals(stored: unknown, node: ReadNode | undefined): unknown {
    if (node === undefined) return 0;
    // A file of before evidence was kept apart has the signals themselves.
    if (!Array.isArray(stored)) return project(node, stored, this);
    const [id, ...times] = stored as readonly unknown[];
    if (id instanceof Slot && times.every((time) => time instanceof Slot && time.kind !== 'other')) {
      this.evidence.push({ node, idPlace: id.place, times: times as readonly SlotRead[] });
      return TAKEN_OUT;
    }
    this.isWhole = true;
    return 0;
  }

  #note({ kind, place }: Slot, classOf: ValueClass): string {
    if (kind === 'other') this.isWhole = true;
    else this.reads.push({ kind, place, classOf });
    return TAKEN_OUT;
  }

  #noteWithin(value: unknown): unknown {
    if (value instanceof Slot) return this.#note(value, exactly);
    if (Array.isArray(value)) return value.map((item) => this.#noteWithin(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#noteWithin(item)]));
  }
}

function hasSlot(value: unknown): boolean {
  if (value instanceof Slot) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasSlot);
}
