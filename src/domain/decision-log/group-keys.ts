import type { DecisionRecord } from './decision-record.ts';
import { toJudgedText } from './judged.ts';
import { delayBucketOf } from './label-delay.ts';
import { type Label, OUTCOME_LABELS } from './outcome-label.ts';
import { STATS_GROUPS } from './record-counts.ts';
import { factValues, type RecordFacts } from './record-facts.ts';
import { NO_LABEL } from './record-filter.ts';
import { NO_PLACE, placeOf, type RecordPlace } from './record-place.ts';

/** What decisions can be grouped by that are counted only when they are asked for. */
const LATE_KEYS = ['action', 'country', 'asn', 'asn_name', 'label'] as const;

/** What decisions can be grouped by, one or two at a time. */
export const GROUP_KEYS = [...STATS_GROUPS, ...LATE_KEYS] as const;

/**
 * What the statistics of rules count by, and no answer names: all rules of a decision together, and its label
 * with the time that it took.
 */
const RULE_KEYS = ['judged', 'labelled'] as const;

/** All keys. */
export const ALL_GROUP_KEYS = [...GROUP_KEYS, ...RULE_KEYS] as const;

/** What decisions can be grouped by. Values of GROUP_KEYS are those of the filters of the same name. */
export type GroupKey = (typeof ALL_GROUP_KEYS)[number];

/** The label in force, and the bucket of the time that it took; see delayBucketOf. */
export interface DelayedLabel {
  readonly label: Label;
  readonly delay: number;
}

/** A label that counts, and when it was said, RFC 3339. */
export interface SaidLabel {
  readonly label: Label;
  readonly at: string;
}

/** What a decision is grouped by. */
export interface GroupedRecord {
  readonly facts: RecordFacts;
  readonly place: RecordPlace;
  readonly action: string | null;
  /** Null without one. */
  readonly label: DelayedLabel | null;
}

/** What a record whose label in force is `label` is grouped by; null without one. */
export function toGroupedRecord(record: DecisionRecord, label: SaidLabel | null): GroupedRecord {
  const grouped = { facts: record, place: placeOf(record), action: record.action };
  if (label === null) return { ...grouped, label };
  const delay = delayBucketOf(Date.parse(record.decided_at), Date.parse(label.at));
  return { ...grouped, label: { label: label.label, delay } };
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
      return [label?.label ?? NO_LABEL];
    case 'labelled':
      return [label === null ? NO_LABEL : toLabelledText(label)];
    case 'judged':
      return [toJudgedText(facts)];
    default: {
      const values = factValues(facts, key);
      return values.length < 2 ? values : [...new Set(values)];
    }
  }
}

function toLabelledText({ label, delay }: DelayedLabel): string {
  return `${label}/${delay}`;
}

/** The label that a value of `labelled` holds; null for decisions without one. */
export function fromLabelledText(text: string): DelayedLabel | null {
  const [name, delay] = text.split('/');
  const label = OUTCOME_LABELS.find((known) => known === name);
  return label === undefined ? null : { label, delay: Number(delay) };
}
