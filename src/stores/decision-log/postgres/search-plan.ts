import { NOT_LABELLED } from '../../../domain/decision-log/outcome-label.ts';
import { NO_LABEL, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { NO_PLACE } from '../../../domain/decision-log/record-place.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { EVENT_SHAPE, GAP_SHAPE, toPlainText, toUuid } from './entry-rows.ts';
import {
  type Add,
  entriesLabelled,
  entriesWhere,
  entriesWith,
  newest,
  type PositionRange,
  type Source,
  within,
} from './search-sources.ts';
import type { ShapeId } from './shape-ids.ts';

/** The statements that answer a filter, for any range of positions. */
export interface SearchPlan {
  readonly values: readonly unknown[];
  /**
   * Gives `pos` and `body` of the newest matches, newest first; one may be given twice. Each row says as `reached`
   * down to which position everything was looked at: null where it is the whole range, or where the page is full
   * and says so itself. Without a match there is one row of nulls and `reached`.
   */
  readonly page: (range: PositionRange, limit: number, scanMax: number) => string;
  readonly boundValues: readonly unknown[];
  /** See Source. */
  readonly bound: (range: PositionRange, scanMax: number) => string;
  readonly allValues: readonly unknown[];
  /** Gives columns of all matches in a range, each once. */
  readonly all: (range: PositionRange, columns: string) => string;
}

/** Shapes that are looked up one by one; with more, all entries are read in their order. */
const SHAPES_LOOKED_UP_MAX = 100;
/** The time of nearly every decision is so close to that of its position; an index has the others. */
export const NEAR_MS = 600_000;
const OUT_OF_TIME = `abs(pos / 1000 - at) > ${NEAR_MS}`;
/** The columns that an index leads to, by the part whose hashes they hold; `devices` holds several. */
const COLUMNS = {
  telemetry: ['telemetry'],
  device: ['device'],
  account: ['account'],
  ip: ['ip', 'network'],
  visitor: ['visitor'],
} as const satisfies Record<SubjectPartName, readonly string[]>;

/** Plans the search for a filter whose facts these shapes match; null is all. */
export function planSearch(filter: RecordFilter, shapes: readonly ShapeId[] | null): SearchPlan {
  const values: unknown[] = [];
  const allValues: unknown[] = [];
  const addTo =
    (list: unknown[]): Add =>
    (value, type) =>
      `$${list.push(value)}::${type}`;
  const add = addTo(values);
  const window = toWindow(filter);
  const sources = subjectSources(filter, add) ?? [labelSource(filter, add) ?? shapeSource(shapes, add)];
  const boundValues = [...values];
  const conditions = toConditions(filter, shapes, add, window).join(' AND ');
  const allConditions = toConditions(filter, shapes, addTo(allValues), window).join(' AND ');
  const isTimed = filter.since !== undefined || filter.until !== undefined;
  const others = toOtherKinds(filter, window);
  const all = (range: PositionRange, read: (source: Source, range: PositionRange) => string) => {
    const statements = sources.map((source) => read(source, nearest(range, window)));
    if (isTimed) statements.push(read(entriesWhere(OUT_OF_TIME), range));
    return statements;
  };
  const bound = (range: PositionRange, scanMax: number) => {
    const bounds = all(range, (source, near) => source.bound(near, scanMax));
    return `SELECT max(reached) AS reached, sum(looked)::int8 AS looked FROM (${unionOf(bounds)}) AS bounds`;
  };
  return {
    values,
    boundValues,
    allValues,
    page: (range, limit, scanMax) => {
      const found = all(range, (source, near) => source.find(near, conditions, limit));
      // A full page may hold rows of one source, or of one value, from before what another was looked at for.
      const isOne = found.length === 1 && others === null && sources[0]?.isInOrder === true;
      const isEnough = isOne ? `(SELECT count(*) FROM found) >= ${limit}` : 'false';
      if (others !== null) found.push(newest('riskgate.entries', `${within(range)} AND ${others}`, limit));
      return `WITH found AS MATERIALIZED (${newest(`(${unionOf(found)}) AS each`, 'true', limit)})
        SELECT found.pos, found.body, CASE WHEN ${isEnough} THEN NULL
          ELSE (SELECT reached FROM (${bound(range, scanMax)}) AS bounded) END AS reached
        FROM (VALUES (1)) AS once LEFT JOIN found ON true ORDER BY found.pos DESC`;
    },
    bound,
    all: (range, columns) => {
      const select = (where: string) =>
        `SELECT ${columns} FROM riskgate.entries AS looked WHERE ${where} AND ${allConditions}`;
      if (!isTimed) return select(within(range));
      const near = select(`${within(nearest(range, window))} AND NOT ${OUT_OF_TIME}`);
      return unionOf([near, select(`${within(range)} AND ${OUT_OF_TIME}`)]);
    },
  };
}

function unionOf(statements: readonly string[]): string {
  return statements.map((statement) => `(${statement})`).join(' UNION ALL ');
}

interface Window {
  readonly sinceMs: number;
  readonly untilMs: number;
}

function toWindow({ since, until }: RecordFilter): Window {
  return {
    sinceMs: since === undefined ? Number.MIN_SAFE_INTEGER : Date.parse(since),
    untilMs: until === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(until),
  };
}

/** The part of a range in which decisions of these times are, but for those out of time. */
function nearest({ from, below }: PositionRange, { sinceMs, untilMs }: Window): PositionRange {
  return {
    from: Math.max(from, (sinceMs - NEAR_MS) * 1000),
    below: Math.min(below, (untilMs + NEAR_MS) * 1000),
  };
}

/** What decisions have to be. */
function toConditions(
  filter: RecordFilter,
  shapes: readonly ShapeId[] | null,
  add: Add,
  { sinceMs, untilMs }: Window,
): string[] {
  const { action, country, asn, label } = filter;
  const conditions = [
    shapes === null ? `shape > ${GAP_SHAPE}` : `shape = ANY (${add(shapes, 'int8[]')})`,
    `at >= ${sinceMs} AND at < ${untilMs}`,
    ...subjectConditions(filter, add),
  ];
  if (action !== undefined) conditions.push(`action = ${add(toPlainText(action), 'text')}`);
  if (country === NO_PLACE) conditions.push('country IS NULL');
  else if (country !== undefined) conditions.push(`country = ${add(toPlainText(country), 'text')}`);
  if (asn === NO_PLACE) conditions.push('asn IS NULL');
  else if (asn !== undefined) conditions.push(`asn = ${add(asn, 'int8')}`);
  const said = 'EXISTS (SELECT FROM riskgate.labels AS said WHERE said.pos = looked.pos';
  if (label === NO_LABEL) conditions.push(`NOT ${said} AND said.label <> '${NOT_LABELLED}')`);
  else if (label !== undefined) conditions.push(`${said} AND said.label = ${add(label, 'text')})`);
  return conditions;
}

function subjectConditions(filter: RecordFilter, add: Add): string[] {
  const conditions = SUBJECT_PARTS.flatMap((part) => {
    const hashes = filter[part];
    return hashes === undefined ? [] : [isOfPart(part, addHashes(hashes, add))];
  });
  const { subject } = filter;
  if (subject === undefined) return conditions;
  const hashes = addHashes(subject, add);
  return [...conditions, `(${SUBJECT_PARTS.map((part) => isOfPart(part, hashes)).join(' OR ')})`];
}

function isOfPart(part: SubjectPartName, hashes: string): string {
  const columns = COLUMNS[part].map((column) => `${column} = ANY (${hashes})`);
  if (part === 'device') columns.push(`devices && ${hashes}`);
  return `(${columns.join(' OR ')})`;
}

function addHashes(hashes: readonly string[], add: Add): string {
  return add(hashes.map(toUuid), 'uuid[]');
}

/** What gaps and events have to be; null where they are not asked for. */
function toOtherKinds({ includesGaps, includesEvents }: RecordFilter, { sinceMs, untilMs }: Window) {
  if (includesGaps !== true) return null;
  const shapes = includesEvents === true ? `${GAP_SHAPE}, ${EVENT_SHAPE}` : GAP_SHAPE;
  return `shape IN (${shapes}) AND ends >= ${sinceMs} AND at < ${untilMs}`;
}

/** Null for a filter without hashes. */
function subjectSources(filter: RecordFilter, add: Add): readonly Source[] | null {
  const part = SUBJECT_PARTS.find((name) => filter[name] !== undefined);
  const hashes = part === undefined ? filter.subject : filter[part];
  if (hashes === undefined) return null;
  const keys = addHashes(hashes, add);
  const parts = part === undefined ? SUBJECT_PARTS : [part];
  return parts.flatMap((name) => {
    const sources = COLUMNS[name].map((column) => entriesWith(column, keys, hashes.length));
    return name === 'device' ? [...sources, entriesWhere(`devices && ${keys}`)] : sources;
  });
}

function labelSource({ label }: RecordFilter, add: Add): Source | null {
  return label === undefined || label === NO_LABEL ? null : entriesLabelled(add(label, 'text'));
}

/** A few shapes, or all entries. */
function shapeSource(shapes: readonly ShapeId[] | null, add: Add): Source {
  if (shapes === null || shapes.length > SHAPES_LOOKED_UP_MAX) return entriesWhere('true');
  return entriesWith('shape', add(shapes, 'int8[]'), shapes.length);
}
