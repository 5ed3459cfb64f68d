import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReadNode } from '../../../domain/backtest/record-classes.ts';
import { type SlotRead, toSignalsTemplate } from './class-template.ts';
import { EarlierEvidenceRows } from './earlier-evidence-rows.ts';
import { EvidenceBlocks, type StoredEvidence } from './evidence-blocks.ts';
import { EVIDENCE_BLOCKS_VERSION, versionOf } from './segment-file.ts';
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
/** Forms that are remembered, for each provider: some hundred bytes each. */
const FORMS_MAX = 20_000;

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

  /** The class of the evidence of a form that has these numbers. */
  classOf(
    { base, numbers: reads, shared, classes }: EvidenceForm,
    numberAt: (place: number) => unknown,
  ): EvidenceClass {
    let text = base;
    for (const { place, classOf } of reads) text += `|${JSON.stringify(classOf(numberAt(place)))}`;
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
  readonly #find: (id: number) => Pick<StoredEvidence, 'form' | 'numberAt'> | undefined;
  readonly #form: StatementSync;
  readonly #forms: EvidenceForms;
  readonly #formsById = new Map<ReadNode, Map<number, EvidenceForm>>();
  readonly #known = new Map<ReadNode, Map<number, EvidenceClass>>();

  constructor(db: DatabaseSync, forms: EvidenceForms) {
    const rows =
      versionOf(db) >= EVIDENCE_BLOCKS_VERSION ? new EvidenceBlocks(db) : new EarlierEvidenceRows(db);
    this.#find = (id) => rows.find(id);
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
    const found = this.#find(id);
    if (found === undefined)
      throw Object.assign(new Error('a record without its evidence'), { code: 'DAMAGED' });
    return this.#forms.classOf(this.#formOf(node, found.form), (place) => found.numberAt(place));
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
