import type { RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';
import { OTHER_ACTION, type SegmentDictionary } from './entry-matches.ts';
import { NumberedTexts, toPlace } from './numbered-texts.ts';
import type { SegmentStatements } from './segment-statements.ts';
import type { PlaceColumn, PlacePart, SegmentSummary } from './segment-summary.ts';
import { ShapeFacts, type ShapeKey } from './shape-facts.ts';

const SHAPE_KEYS = 'SELECT id, lower(hex(key)) FROM shapes WHERE id > ? ORDER BY id';
const SHAPE_TEXT = 'SELECT lower(hex(key)) AS key, text FROM shapes WHERE id = ?';

/** What the numbers of shapes, places and actions stand for in one segment. */
export class SegmentTexts
  implements Pick<SegmentDictionary, 'shapes' | 'places' | 'actions' | 'placeColumn'>
{
  readonly #statements: SegmentStatements;
  readonly #summary: () => SegmentSummary | null;
  readonly #shapes: ShapeFacts;
  readonly #places: NumberedTexts<RecordPlace>;
  readonly #actions: NumberedTexts<string>;

  constructor(statements: SegmentStatements, summary: () => SegmentSummary | null) {
    this.#statements = statements;
    this.#summary = summary;
    const readTexts = (table: string) => (above: number) =>
      statements.of(`SELECT id, text FROM ${table} WHERE id > ? ORDER BY id`).all(above);
    this.#shapes = new ShapeFacts({
      keysAbove: (id) => statements.forRows(SHAPE_KEYS).all(id) as unknown as readonly ShapeKey[],
      allKeys: () => summary()?.shapeKeys() ?? null,
      textOf: (id) => {
        const row = statements.of(SHAPE_TEXT).get(id);
        return row === undefined ? undefined : { key: String(row['key']), text: String(row['text']) };
      },
    });
    this.#places = new NumberedTexts(readTexts('places'), 0, toPlace);
    this.#actions = new NumberedTexts(readTexts('actions'), OTHER_ACTION, (text) => text);
  }

  shapes(): ReadonlyMap<number, RecordFacts> {
    return this.#shapes.read();
  }

  factsOf(shape: number): RecordFacts | undefined {
    return this.#shapes.one(shape);
  }

  /** None where their numbers do not follow each other. */
  shapeKeys(): readonly Uint8Array[] {
    const rows = this.#statements.of('SELECT id, key FROM shapes ORDER BY id').all();
    const isNumbered = rows.every(({ id }, place) => Number(id) === place + 1);
    return isNumbered ? rows.flatMap(({ key }) => (key instanceof Uint8Array ? [key] : [])) : [];
  }

  places(): ReadonlyMap<number, RecordPlace> {
    return this.#places.read();
  }

  actions(): ReadonlyMap<number, string> {
    return this.#actions.read();
  }

  placeColumn(part: PlacePart): PlaceColumn | null {
    const summary = this.#summary();
    if (summary === null) return null;
    const last = Number(this.#statements.of('SELECT max(id) AS last FROM places').get()?.['last'] ?? 0);
    return last === summary.places ? summary.placeColumn(part) : null;
  }
}
