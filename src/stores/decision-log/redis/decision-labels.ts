import { z } from 'zod';
import {
  type LabelledDecision,
  type LabelResult,
  type LogEntry,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import { idOf } from '../../../domain/decision-log/decision-record.ts';
import {
  labelInForce,
  type OutcomeLabel,
  outcomeLabelSchema,
  tryLabel,
} from '../../../domain/decision-log/outcome-label.ts';
import { countLabel } from '../../../domain/decision-log/record-counts.ts';
import { RiskgateError } from '../../../domain/errors.ts';
import { parseJson } from '../../redis/json-object.ts';
import { newChange } from './decision-changes.ts';
import { toPlace } from './decision-position.ts';
import { countedMinute, expiries, indexName, type RedisDecisionOptions } from './decision-sink.ts';
import type { DecisionStreams } from './decision-streams.ts';

/** How long a record may have waited for its sink while decisions are looked up by their id's own time. */
const USUAL_DELAY_MS = 120_000;
/** Labels of one decision that are said at the same time. */
const LABEL_ATTEMPTS = 5;

const labelsSchema = z.array(outcomeLabelSchema);

/** The decision and what was said of it; null where there is none of this id. */
export async function find(streams: DecisionStreams, id: string): Promise<LabelledDecision | null> {
  const entry = await findEntry(streams, id);
  if (entry?.record.kind !== 'decision') return null;
  const labels = (await labelsOf(streams, [entry])).get(id) ?? [];
  return { position: entry.position, record: entry.record, labels };
}

async function findEntry(streams: DecisionStreams, id: string): Promise<LogEntry | null> {
  const madeAtMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  const hours = streams.hours().reverse();
  const all = hours.flatMap((hour) => streams.minutesOf(hour));
  // A UUIDv7 says when it was made; a record that had to wait for Redis, or an id of another make, is looked
  // for everywhere.
  const usual = all.filter((minute) => Math.abs(minute - madeAtMs) <= USUAL_DELAY_MS);
  for (const minutes of [usual, all]) {
    const [place] = await streams.findByName([indexName('id', id)], minutes);
    if (place === undefined) continue;
    const [entry] = await streams.entriesOf([place]);
    if (entry !== undefined && idOf(entry.record) === id) return entry;
  }
  return null;
}

/** The labels of decisions by id. */
export async function labelsOf(
  streams: DecisionStreams,
  entries: readonly LogEntry[],
): Promise<ReadonlyMap<string, readonly OutcomeLabel[]>> {
  const texts = await streams.sendAll(entries, ({ position, record }) =>
    streams.redis.hget(streams.keysOf(toPlace(position)?.hour ?? 0).labels, idOf(record)),
  );
  return new Map(
    entries.flatMap(({ record }, place) => {
      const text = texts[place];
      return text ? [[idOf(record), parseLabels(text)] as const] : [];
    }),
  );
}

/**
 * A stored text is trusted no further than its shape: none for what are no labels of ours. Labels are given
 * as they were read, so that they compare with what is stored.
 */
function parseLabels(text: string): readonly OutcomeLabel[] {
  const value = parseJson(text);
  return isLabels(value) ? value : [];
}

function isLabels(value: unknown): value is readonly OutcomeLabel[] {
  return labelsSchema.safeParse(value).success;
}

interface GivenLabel {
  readonly label: OutcomeLabel;
  readonly isTimeGiven: boolean;
  readonly seen: number | null;
}

/** Adds a label, and counts it for the rules that were true. */
export async function addLabelTo(
  streams: DecisionStreams,
  options: RedisDecisionOptions,
  id: string,
  { label, isTimeGiven, seen }: GivenLabel,
): Promise<LabelResult> {
  for (let attempt = 0; attempt < LABEL_ATTEMPTS; attempt += 1) {
    const decision = await find(streams, id);
    if (decision === null) return { kind: 'unknown_decision' };
    const said = tryLabel(decision.labels, label, isTimeGiven, seen);
    if (said.kind === 'unchanged') return { kind: said.kind, decision };
    if (said.kind !== 'recorded') return { kind: said.kind };
    const { labels } = said;
    if (!(await replaceLabels(streams, options, decision, labels))) continue;
    return { kind: 'recorded', decision: { ...decision, labels } };
  }
  throw new RiskgateError('conflict', 'The labels of a decision changed too often.', {
    publicDetail: 'Others label the same decision at this moment. Try again.',
  });
}

/** False when somebody else has said something in between. */
async function replaceLabels(
  streams: DecisionStreams,
  options: RedisDecisionOptions,
  { position, record, labels }: LabelledDecision,
  history: readonly OutcomeLabel[],
): Promise<boolean> {
  const hour = toPlace(position)?.hour ?? 0;
  const keys = streams.keysOf(hour);
  const minute = countedMinute(Date.parse(record.decided_at), hour);
  const changes = countLabel(record, labelInForce(labels), labelInForce(history));
  const words = [
    keys.labels,
    keys.changes,
    keys.hourCounts,
    `${keys.minuteCounts}${minute}`,
    `${keys.fiveMinuteCounts}${minute - (minute % PERIOD_MS.five_minutes)}`,
    record.decision_id,
    labels.length === 0 ? '' : JSON.stringify(labels),
    JSON.stringify(history),
    ...expiries(hour, options),
    newChange(),
    ...[...changes].flatMap(([name, count]) => [name, String(count)]),
  ];
  return (await streams.send(() => streams.redis.labelDecision(...words))) === 1;
}
