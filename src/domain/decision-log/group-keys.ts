import type { DecisionRecord } from './decision-record.ts';
import { STATS_GROUPS } from './record-counts.ts';
import { factValues, type RecordFacts } from './record-facts.ts';
import { type LabelInForce, NO_LABEL } from './record-filter.ts';
import { NO_PLACE, placeOf, type RecordPlace } from './record-place.ts';

/** What decisions can be grouped by that are counted only when they are asked for. */
const LATE_KEYS = ['action', 'country', 'asn', 'asn_name', 'label'] as const;

/** What decisions can be grouped by, one or two at a time. */
export const GROUP_KEYS = [...STATS_GROUPS, ...LATE_KEYS] as const;

/** What decisions can be grouped by. Their values are those of the filters of the same name. */
export type GroupKey = (typeof GROUP_KEYS)[number];

/** What a decision is grouped by. */
export interface GroupedRecord {
  readonly facts: RecordFacts;
  readonly place: RecordPlace;
  readonly action: string | null;
  readonly label: LabelInForce;
}

/** What a record whose label in force is `label` is grouped by. */
export function toGroupedRecord(record: DecisionRecord, label: LabelInForce): GroupedRecord {
  return { facts: record, place: placeOf(record), action: record.action, label };
}

/**
 * The values by which a decision counts in a group, each once: several where it has several reasons, rules or
 * providers, none without an action.
 */
export function valuesOf({ facts, place, action, label }: GroupedRecord, key: GroupKey): readonly string[] {
  switch (key) {
    case 'action':
      return action === null ? [] : [action];
    case 'country':
      return [place.country ?? NO_PLACE];
    case 'asn':
      return [String(place.asn ?? NO_PLACE)];
    case 'asn_name':
      return [place.asnName ?? NO_PLACE];
    case 'label':
      return [label ?? NO_LABEL];
    default: {
      const values = factValues(facts, key);
      return values.length < 2 ? values : [...new Set(values)];
    }
  }
}
