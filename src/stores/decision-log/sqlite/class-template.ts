import {
  type ClassWriter,
  project,
  projectMember,
  type ReadNode,
  type RecordClasses,
} from '../../../domain/backtest/record-classes.ts';
import { exactly, type ValueClass } from '../../../domain/backtest/value-class.ts';
import { FormMembers } from './form-members.ts';
import { fillForm, type RecordForm } from './record-form.ts';
import { fillSignals } from './signals-form.ts';
import { TextNumbering } from './text-numbering.ts';

/** A value that was taken out of a form, by its place among those of its kind. */
class Slot {
  readonly kind: 'number' | 'time' | 'other';
  readonly place: number;
  /** Of a time: it is written without milliseconds. */
  readonly isWhole: boolean;

  constructor(kind: Slot['kind'], place: number, isWhole = false) {
    this.kind = kind;
    this.place = place;
    this.isWhole = isWhole;
  }
}

/** A value that stands beside a form, and what is told apart of it. */
export interface SlotRead {
  readonly kind: 'number' | 'time';
  readonly place: number;
  /** Of a time in a record: it is written without milliseconds. */
  readonly isWhole: boolean;
  readonly classOf: ValueClass;
}

/** What is told apart of all records, or signals, of one form. */
interface FormTemplate {
  /** What the form itself says of it. */
  readonly base: string;
  readonly reads: readonly SlotRead[];
  /** True where what is told apart can only be found by putting it together. */
  readonly isWhole: boolean;
}

/** A reference to signals in a member of a record. */
interface EvidenceRead {
  readonly node: ReadNode;
  /** The place of the number of the evidence. */
  readonly idPlace: number;
  /** Where its times are. */
  readonly times: readonly Omit<SlotRead, 'classOf'>[];
}

/** What one member of a record brings to its template. Places are those within it. */
interface MemberTemplate extends Omit<FormTemplate, 'base'> {
  /** What it says of itself, as a number; null where nothing of it, and of its values, is told apart. */
  readonly base: number | null;
  readonly evidence: readonly EvidenceRead[];
  /** How many values it has beside the form. */
  readonly counts: ValuePlace;
  readonly name: string;
  readonly value: unknown;
}

/** A place among the values of either kind. */
export interface ValuePlace {
  readonly number: number;
  readonly time: number;
}

/** The same of a record. */
export interface RecordTemplate {
  /** Members of which something is told apart, and where the values of each begin. */
  readonly members: readonly { readonly member: MemberTemplate; readonly at: ValuePlace }[];
  readonly isWhole: boolean;
  /** Null where the record has none; undefined where only the record tells. */
  readonly action: string | null | undefined;
}

/** Members that are remembered: some hundred bytes each, and two kilobytes at most of real ones. */
const MEMBERS_MAX = 20_000;

/** Makes the templates of the forms of records. */
export class RecordTemplates {
  readonly #members: FormMembers<MemberTemplate>;

  constructor(classes: RecordClasses) {
    const bases = new TextNumbering();
    this.#members = new FormMembers(MEMBERS_MAX, (member) => toMemberTemplate(classes, member, bases));
  }

  /** Null for a form that is of no decision. */
  of(form: RecordForm): RecordTemplate | null {
    const members: { readonly member: MemberTemplate; readonly at: ValuePlace }[] = [];
    let [isWhole, isDecision] = [false, false];
    let [number, time] = [0, 0];
    let action: RecordTemplate['action'];
    for (const member of typeof form === 'string' ? this.#members.of(form) : this.#members.ofAll(form)) {
      const { name, value, counts } = member;
      isWhole ||= member.isWhole;
      if (member.base !== null) members.push({ member, at: { number, time } });
      if (name === 'kind') isDecision = value === 'decision';
      else if (name === 'action' && !(value instanceof Slot)) action = value as RecordTemplate['action'];
      number += counts.number;
      time += counts.time;
    }
    return isDecision ? { members, isWhole, action } : null;
  }
}

function toMemberTemplate(classes: RecordClasses, text: string, bases: TextNumbering): MemberTemplate {
  const counts = { number: 0, time: 0, other: 0 };
  const next = (kind: Slot['kind']) => new Slot(kind, counts[kind]++);
  const other = () => next('other');
  const filled = fillForm(`{${text}}`, {
    hash: other,
    same: other,
    number: () => next('number'),
    time: (isWhole) => new Slot('time', counts.time++, isWhole),
    id: other,
    uuidId: other,
  });
  const [[name, value] = ['', null]] = Object.entries(filled as Readonly<Record<string, unknown>>);
  const writer = new TemplateWriter();
  const projected = projectMember(classes, name, value, writer);
  const { reads, evidence, isWhole } = writer;
  // The same text of another member says something else.
  const base = projected === undefined ? null : bases.of(`${name} ${JSON.stringify(projected)}`);
  return { base, reads, evidence, isWhole, counts, name, value };
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

  #note({ kind, place, isWhole }: Slot, classOf: ValueClass): string {
    if (kind === 'other') this.isWhole = true;
    else this.reads.push({ kind, place, isWhole, classOf });
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
