import { PERIOD_MS } from '../../src/application/decision-log/decision-log.ts';
import { ALL_GROUP_KEYS } from '../../src/domain/decision-log/group-keys.ts';
import type { RecordFilter } from '../../src/domain/decision-log/record-filter.ts';
import { SUBJECT_PARTS } from '../../src/domain/decision-log/subject-parts.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import { countHistory } from '../../src/stores/decision-log/sqlite/history-counts.ts';
import {
  countDistinct,
  describeSubject,
  groupSegments,
} from '../../src/stores/decision-log/sqlite/history-groups.ts';
import type { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { hashOf, MIXED_FILTERS } from './mixed-decisions.ts';

const DAY_MS = 24 * PERIOD_MS.hour;

/** Every kind of question about a history, by name, and its answer as text: to the character, and in its order. */
export function answersOf(
  reader: HistoryReader,
  { sinceMs, untilMs }: { readonly sinceMs: number; readonly untilMs: number },
  mixed = MIXED_FILTERS,
): ReadonlyMap<string, string> {
  const answers = new Map<string, string>();
  const add = (name: string, answer: unknown) => answers.set(name, JSON.stringify(answer, showMaps));
  const spans = [
    { since: toRfc3339(sinceMs), until: toRfc3339(untilMs) },
    { since: toRfc3339(sinceMs + 20 * PERIOD_MS.minute), until: toRfc3339(untilMs - DAY_MS) },
    { since: toRfc3339(untilMs - DAY_MS), until: toRfc3339(untilMs) },
  ];
  const filters = Object.entries(mixed).flatMap(([name, filter]) =>
    spans.map((span, place): [string, RecordFilter] => [`${name} ${place}`, { ...filter, ...span }]),
  );
  for (const [name, filter] of filters) {
    const since = Date.parse(filter.since ?? '');
    const grouping = { sinceMs: since, stepMs: DAY_MS, by: ['country', 'rule'] as const };
    add(`group ${name}`, groupSegments(reader.allBack(filter), { filter, ...grouping }));
    add(`distinct ${name}`, countDistinct(reader.allBack(filter), filter));
    add(`page ${name}`, reader.query(filter, { before: null, limit: 12 }));
  }
  for (const [place, key] of ALL_GROUP_KEYS.entries()) {
    const by = [key, ALL_GROUP_KEYS[(place + 5) % ALL_GROUP_KEYS.length] ?? key];
    const question = { filter: spans[0] ?? {}, sinceMs, stepMs: 30 * PERIOD_MS.minute, by };
    add(`group by ${by.join(' ')}`, groupSegments(reader.allBack(question.filter), question));
  }
  for (const stepMs of [PERIOD_MS.minute, PERIOD_MS.hour, 6 * PERIOD_MS.hour, DAY_MS])
    add(`counts ${stepMs}`, countHistory(reader, { sinceMs, untilMs, period: 'minute', stepMs }));
  const part = { sinceMs: sinceMs + 1, untilMs: untilMs - DAY_MS, period: 'hour' } as const;
  add('counts of a part', countHistory(reader, part));
  for (const name of SUBJECT_PARTS)
    for (const kind of ['ac', 'd', '1', 'f'])
      add(`subject ${name} ${kind}`, describeSubject(reader.allBack(), name, hashOf(kind, 1)));
  return answers;
}

function showMaps(_name: string, value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}
