import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReadNode } from '../../../domain/backtest/record-classes.ts';
import { type FormTemplate, type SlotRead, toSignalsTemplate } from './class-template.ts';
import type { TextNumbering } from './text-numbering.ts';

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

/** Such groups that are kept: about 50 KB each. */
const GROUPS_MAX = 400;

type EvidenceRow = readonly [id: number, form: number, numbers: string];

/** The classes of the evidence of one segment. */
export class EvidenceClasses {
  readonly #some: StatementSync;
  /** By the number of the first, divided by how many are read together. */
  readonly #rows = new Map<number, readonly EvidenceRow[]>();
  readonly #form: StatementSync;
  readonly #numbering: TextNumbering;
  readonly #templates = new Map<ReadNode, Map<number, FormTemplate>>();
  readonly #known = new Map<ReadNode, Map<number, EvidenceClass>>();

  constructor(db: DatabaseSync, numbering: TextNumbering) {
    this.#some = db.prepare('SELECT id, form, numbers FROM evidence WHERE id >= ? AND id < ? ORDER BY id');
    this.#some.setReturnArrays(true);
    this.#form = db.prepare('SELECT text FROM forms WHERE id = ?');
    this.#numbering = numbering;
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
    const { base, reads, isWhole } = this.#templateOf(node, form);
    const own = reads.filter(({ kind }) => kind === 'number');
    let text = base;
    if (own.length > 0) {
      const values = JSON.parse(numbers) as readonly unknown[];
      for (const { place, classOf } of own) text += `|${JSON.stringify(classOf(values[place]))}`;
    }
    return { number: this.#numbering.of(text), times: reads.filter(({ kind }) => kind === 'time'), isWhole };
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

  #templateOf(node: ReadNode, form: number): FormTemplate {
    let templates = this.#templates.get(node);
    if (templates === undefined) {
      templates = new Map();
      this.#templates.set(node, templates);
    }
    let template = templates.get(form);
    if (template === undefined) {
      template = toSignalsTemplate(node, String(this.#form.get(form)?.['text']));
      templates.set(form, template);
    }
    return template;
  }
}
