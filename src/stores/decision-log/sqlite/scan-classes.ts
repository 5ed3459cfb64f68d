import type { DatabaseSync } from 'node:sqlite';
import type { ClassQuestion } from '../../../domain/backtest/class-question.ts';
import type { BacktestOutcome } from '../../../domain/backtest/judge-record.ts';
import { classKeyOf } from '../../../domain/backtest/record-classes.ts';
import type { BacktestTally } from '../../../domain/backtest/tally.ts';
import type { DecisionRecord } from '../../../domain/decision-log/decision-record.ts';
import type { Label } from '../../../domain/decision-log/outcome-label.ts';
import { matchesFacts } from '../../../domain/decision-log/record-facts.ts';
import { matchesLabel, matchesPlace, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { SUBJECT_PARTS } from '../../../domain/decision-log/subject-parts.ts';
import { type RecordTemplate, RecordTemplates, type SlotRead, type ValuePlace } from './class-template.ts';
import { type ClassNode, ClassTree } from './class-tree.ts';
import { hasPart } from './entry-subjects.ts';
import { EvidenceClasses, EvidenceForms } from './evidence-classes.ts';
import { GroupCounter, OUTCOMES_MAX } from './group-counter.ts';
import { type StoredParts, toTime } from './record-form.ts';
import { GAP_SHAPE } from './segment-file.ts';
import { SegmentReader } from './segment-reader.ts';
import { type EntryRow, SegmentRows } from './segment-rows.ts';

/** Nodes of classes that are remembered: some hundred bytes each. */
const NODES_MAX = 500_000;

/** Counts the decisions of segments by what a policy comes to for them. Of each class it judges one. */
export class ClassScan {
  readonly #question: ClassQuestion;
  readonly #tally: BacktestTally;
  readonly #templates: RecordTemplates;
  readonly #evidence = new EvidenceForms();
  readonly #outcomes: BacktestOutcome[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #classes = new ClassTree(NODES_MAX);

  constructor(question: ClassQuestion, tally: BacktestTally) {
    this.#question = question;
    this.#tally = tally;
    this.#templates = new RecordTemplates(question.classes);
  }

  /**
   * Counts one segment, and yields after some hundred entries how many those were. Throws with a `code` where the
   * segment cannot be read.
   */
  *scan(db: DatabaseSync): Generator<number> {
    const segment = new SegmentReader(db);
    const { filter } = this.#question;
    const shapes = segment.shapes();
    const matches = createMatch(db, segment, filter);
    const labels = segment.labelsInForce();
    const evidence = new EvidenceClasses(db, this.#evidence);
    const counter = new GroupCounter(db, shapes, this.#outcomes, this.#tally);
    for (const { rows, forms, partsAt } of new SegmentRows(db).blocks(filter)) {
      const templates: (RecordTemplate | null | undefined)[] = [];
      for (const [place, row] of rows.entries()) {
        const label = labels.get(row.seq) ?? null;
        if (row.shape === GAP_SHAPE || !matches(row, label)) continue;
        const parts = partsAt(place);
        let template = templates[parts.form];
        if (template === undefined) {
          template = this.#templates.of(forms[parts.form] ?? '');
          templates[parts.form] = template;
        }
        if (template === null) continue;
        // What has a shape is a decision.
        const read = () => segment.recordOf(row.seq) as DecisionRecord;
        const action = template.action === undefined ? read().action : template.action;
        if (filter.action !== undefined && filter.action !== action) continue;
        if (this.#outcomes.length >= OUTCOMES_MAX || this.#classes.isFull) this.#forget(counter);
        const node =
          findClass(this.#classes, parts, template, evidence) ??
          this.#classes.below(this.#classes.root, classKeyOf(this.#question.classes, read()));
        node.outcome ??= this.#judge(read);
        counter.count(row, node.outcome, action, label);
      }
      yield rows.length;
    }
    counter.flush();
  }

  #judge(read: () => DecisionRecord): number {
    const outcome = this.#question.judge(read());
    const text = JSON.stringify(outcome);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#outcomes.push(outcome) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  #forget(counter: GroupCounter): void {
    counter.flush();
    this.#outcomes.length = 0;
    this.#numbers.clear();
    this.#classes.clear();
  }
}

/** The class of a record; null where only the record itself tells. */
function findClass(
  classes: ClassTree,
  parts: StoredParts,
  { members, isWhole }: RecordTemplate,
  evidence: EvidenceClasses,
): ClassNode | null {
  if (isWhole) return null;
  let node = classes.root;
  for (const { member, at } of members) {
    node = classes.below(node, member.base);
    for (const read of member.reads) node = classes.below(node, toClass(parts, read, at, read.classOf));
    for (const { node: ofProvider, idPlace, times } of member.evidence) {
      const found = evidence.of(ofProvider, parts.numberAt(idPlace + at.number) ?? 0);
      if (found.isWhole) return null;
      node = classes.below(node, found.number);
      for (const { place, classOf } of found.times) {
        const time = times[place];
        if (time === undefined) return null;
        node = classes.below(node, toClass(parts, time, at, classOf));
      }
    }
  }
  return node;
}

/** The class of a value, as the record has it: conditions know a time as a text. */
function toClass(
  parts: StoredParts,
  { kind, place, isWhole }: Omit<SlotRead, 'classOf'>,
  at: ValuePlace,
  classOf: SlotRead['classOf'],
): unknown {
  if (kind === 'number') return classOf(parts.numberAt(place + at.number));
  return classOf(toTime(parts.timeAt(place + at.time) ?? Number.NaN, isWhole));
}

/** Whether an entry matches a filter, but for its action. */
function createMatch(db: DatabaseSync, segment: SegmentReader, filter: RecordFilter) {
  const { since, until, country, asn } = filter;
  const sinceMs = since === undefined ? 0 : Date.parse(since);
  const untilMs = until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until);
  const takes = <Item>(items: ReadonlyMap<number, Item>, matches: (item: Item) => boolean) =>
    new Set([...items].flatMap(([number, item]) => (matches(item) ? [number] : [])));
  const shapes = takes(segment.shapes(), (facts) => matchesFacts(facts, filter));
  const isPlaced = country !== undefined || asn !== undefined;
  const places = isPlaced ? takes(segment.places(), (place) => matchesPlace(place, filter)) : null;
  const isSubject = createSubjectMatch(db, filter);
  return ({ seq, atMs, shape, place }: EntryRow, label: Label | null): boolean =>
    atMs >= sinceMs &&
    atMs < untilMs &&
    shapes.has(shape) &&
    (places === null || places.has(place)) &&
    matchesLabel(label, filter) &&
    (isSubject === null || isSubject(seq));
}

/** Null where a filter is not about subjects. */
function createSubjectMatch(db: DatabaseSync, filter: RecordFilter): ((seq: number) => boolean) | null {
  const { subject: any } = filter;
  const parts = SUBJECT_PARTS.filter((part) => filter[part] !== undefined);
  if (parts.length === 0 && any === undefined) return null;
  const find = db.prepare('SELECT subject FROM entries WHERE seq = ?');
  return (seq) => {
    const packed = find.get(seq)?.['subject'];
    return (
      parts.every((part) => hasPart(packed, part, filter[part] ?? [])) &&
      (any === undefined || SUBJECT_PARTS.some((part) => hasPart(packed, part, any)))
    );
  };
}
