import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReadNode } from '../../../domain/backtest/record-classes.ts';
import { type SlotRead, toSignalsTemplate } from './class-template.ts';
import { TextNumbering } from './text-numbering.ts';

/** What is told apart of a piece of evidence, but for its times. */
interface EvidenceClass {
  /** The same number for the same class, in all segments. */
  readonly number: number;
  /** Of its times, by their places in a reference to it. */
  readonly times: readonly SlotRead[];
  /** True where only the evidence itself tells. */
  readonly isWhole: boolean;
}

/** Evidence of which the class is remembered at once, for each provider. */
const KNOWN_MAX = 400_000;
/** Evidence that is read together: what stands side by side was written, and is asked for, together. */
const ROWS_TOGETHER = 500;

/** Such groups that are kept, about 50 KB each: evidence is first asked for in the order of its numbers. */
const GROUPS_MAX = 16;

/** Forms that are remembered, for each provider: some hundred bytes each. */
const FORMS_MAX = 20_000;

type EvidenceRow = readonly [id: number, form: number, numbers: string];

/** What is told apart of all evidence of one form. */
interface EvidenceForm {
  readonly base: string;
  readonly numbers: readonly SlotRead[];
  /** What its evidence shares, but for the number. */
  readonly shared: Omit<EvidenceClass, 'number'>;
  /** By number: the same object for all evidence of a class, of which there may be millions. */
  readonly classes: Map<number, EvidenceClass>;
}

/** The forms of evidence of all segments. */
export class EvidenceForms {
  readonly #numbering = new TextNumbering();
  readonly #forms = new Map<ReadNode, Map<string, EvidenceForm>>();

  of(node: ReadNode, text: string): EvidenceForm {
    let forms = this.#forms.get(node);
    if (forms === undefined || forms.size >= FORMS_MAX) {
      forms = new Map();
      this.#forms.set(node, forms);
    }
    let form = forms.get(text);
    if (form === undefined) {
      const { base, reads, isWhole } = toSignalsTemplate(node, text);
      const numbers = reads.filter(({ kind }) => kind === 'number');
      const times = reads.filter(({ kind }) => kind === 'time');
      form = { base, numbers, shared: { times, isWhole }, classes: new Map() };
      forms.set(text, form);
    }
    return form;
  }

  /** The class of the evidence of a form that has these numbers, as JSON. */
  classOf({ base, numbers: reads, shared, classes }: EvidenceForm, numbers: string): EvidenceClass {
    let text = base;
    if (reads.length > 0) {
      const values = JSON.parse(numbers) as readonly unknown[];
      for (const { place, classOf } of reads) text += `|${JSON.stringify(classOf(values[place]))}`;
    }
    const number = this.#numbering.of(text);
    let known = classes.get(number);
    if (known === undefined) {
      known = { ...shared, number };
      classes.set(number, known);
    }
    return known;
  }
}

/** The classes of the evidence of one segment. */
export class EvidenceClasses {
  readonly #some: StatementSync;
  /** By the number of the first, divided by how many are read together. */
  readonly #rows = new Map<number, readonly EvidenceRow[]>();
  readonly #form: StatementSync;
  readonly #forms: EvidenceForms;
  readonly #formsById = new Map<ReadNode, Map<number, EvidenceForm>>();
  readonly #known = new Map<ReadNode, Map<number, EvidenceClass>>();

  constructor(db: DatabaseSync, forms: EvidenceForms) {
    this.#some = db.prepare('SELECT id, form, numbers FROM evidence WHERE id >= ? AND id < ? ORDER BY id');
    this.#some.setReturnArrays(true);
    this.#form = db.prepare('SELECT text FROM forms WHERE id = ?');
    this.#forms = forms;
  }

  /** The class of the evidence with a number. Throws with a `code` where there is none. */
  of(node: ReadNode, id: number): EvidenceClass {
    let known = this.#known.get(node);
    if (known === undefined || known.size >= KNOWN_MAX) {
      known = new Map();
      this.#known.set(node, known);
    }
    let found = known.get(id);
    if (found === undefined) {
      found = this.#read(node, id);
      known.set(id, found);
    }
    return found;
  }

  #read(node: ReadNode, id: number): EvidenceClass {
    const row = this.#rowOf(id);
    if (row === undefined)
      throw Object.assign(new Error('a record without its evidence'), { code: 'DAMAGED' });
    const [, form, numbers] = row;
    return this.#forms.classOf(this.#formOf(node, form), numbers);
  }

  /** Numbers of evidence follow each other, from 1, unless some of it was removed. */
  #rowOf(id: number): EvidenceRow | undefined {
    const group = Math.floor(id / ROWS_TOGETHER);
    let rows = this.#rows.get(group);
    if (rows === undefined) {
      if (this.#rows.size >= GROUPS_MAX) this.#rows.clear();
      const first = group * ROWS_TOGETHER;
      rows = this.#some.all(Math.max(first, 1), first + ROWS_TOGETHER) as unknown as readonly EvidenceRow[];
      this.#rows.set(group, rows);
    }
    const row = rows[group === 0 ? id - 1 : id % ROWS_TOGETHER];
    return row?.[0] === id ? row : rows.find(([own]) => own === id);
  }

  #formOf(node: ReadNode, id: number): EvidenceForm {
    let forms = this.#formsById.get(node);
    if (forms === undefined) {
      forms = new Map();
      this.#formsById.set(node, forms);
    }
    let form = forms.get(id);
    if (form === undefined) {
      form = this.#forms.of(node, String(this.#form.get(id)?.['text']));
      forms.set(id, form);
    }
    return form;
  }
}
