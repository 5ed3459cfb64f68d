import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../../application/clock.ts';
import {
  type DecisionLogReader,
  type DecisionSink,
  type LabelledDecision,
  type LabelResult,
  type LogBatch,
  type LogEntry,
  MINUTES_KEPT_MS,
} from '../../../application/decision-log/decision-log.ts';
import { idOf, type LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { labelInForce, type OutcomeLabel, tryLabel } from '../../../domain/decision-log/outcome-label.ts';
import { type Counts, countLabel } from '../../../domain/decision-log/record-counts.ts';
import { lookThrough } from '../look-through.ts';
import { PeriodCounts } from './period-counts.ts';
import { RecordRing } from './record-ring.ts';

interface MemoryDecisionLogOptions {
  readonly clock: Clock;
  /** At least 1. The oldest record makes room for a new one. */
  readonly recordsMax: number;
  /** How long hours are counted. */
  readonly countsKeptMs: number;
}

/** The log of one process: it ends with it, and other replicas have their own. */
interface MemoryDecisionLog extends DecisionSink, DecisionLogReader {
  append(batch: LogBatch): true;
}

const NO_LABELS: readonly OutcomeLabel[] = [];
const NO_CHANGES: Counts = new Map();
/** Pages that one question of groups and subjects reads: all records of the largest log. */
const PAGES_MAX = 200;

/** Builds an empty log that keeps the latest records. */
export function createMemoryDecisionLog(options: MemoryDecisionLogOptions): MemoryDecisionLog {
  const ring = new RecordRing(options.recordsMax, options.clock.nowMs());
  const counts = new PeriodCounts(options.countsKeptMs);
  const labels = new MemoryLabels();
  const listeners = new Set<() => void>();
  const append = (record: LogRecord): void => {
    const replaced = ring.push(record);
    if (replaced !== undefined) labels.forget(idOf(replaced));
    if (record.kind === 'decision') counts.count(record);
  };
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const find = async (id: string): Promise<LabelledDecision | null> => {
    const entry = await ring.find(id);
    if (entry?.record.kind !== 'decision') return null;
    return { position: entry.position, record: entry.record, labels: labels.of(id) };
  };
  const pages: Pick<DecisionLogReader, 'query' | 'labelsOf'> = {
    query: async (filter, query) => ring.query(filter, query, (id) => labelInForce(labels.of(id))),
    labelsOf: async (entries) => labels.among(entries),
  };
  const { nowMs } = options.clock;
  return {
    id: 'memory',
    isDurable: false,
    isShared: false,
    append: ({ records }) => {
      for (const record of records) append(record);
      tell();
      return true;
    },
    close: async () => listeners.clear(),
    stepsTogether: 0,
    minutesKeptMs: MINUTES_KEPT_MS,
    ...pages,
    ...lookThrough({ reader: pages, pagesMax: PAGES_MAX, pause: nextTurn, nowMs }),
    find,
    readAfter: async (position, limit) => ring.readAfter(position, limit),
    newest: async () => ring.newest(),
    counts: async (asked) => counts.read(asked),
    countVersions: async (asked) => counts.versions(asked),
    version: async () => `${ring.newest() ?? ''}.${labels.changes}`,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    label: async (id, label, isTimeGiven, seen = null) => {
      const found = await find(id);
      if (found === null) return { kind: 'unknown_decision' };
      const { result, changes } = labels.add(found, label, isTimeGiven, seen);
      if (result.kind !== 'recorded') return result;
      counts.add(Date.parse(found.record.decided_at), changes);
      tell();
      return result;
    },
  };
}

/** The labels of decisions, by id. */
class MemoryLabels {
  readonly #labels = new Map<string, readonly OutcomeLabel[]>();
  #changes = 0;

  /** How often labels were set. */
  get changes(): number {
    return this.#changes;
  }

  of(id: string): readonly OutcomeLabel[] {
    return this.#labels.get(id) ?? NO_LABELS;
  }

  among(entries: readonly LogEntry[]): ReadonlyMap<string, readonly OutcomeLabel[]> {
    const ids = entries.map(({ record }) => idOf(record));
    return new Map(ids.filter((id) => this.#labels.has(id)).map((id) => [id, this.of(id)]));
  }

  /** Others may have been added since the decision was found. `changes`: of the counts. */
  add(
    found: LabelledDecision,
    label: OutcomeLabel,
    isTimeGiven: boolean,
    seen: number | null,
  ): { readonly result: LabelResult; readonly changes: Counts } {
    const { record } = found;
    const before = this.of(record.decision_id);
    const said = tryLabel(before, label, isTimeGiven, seen);
    if (said.kind === 'unchanged')
      return { result: { kind: said.kind, decision: { ...found, labels: before } }, changes: NO_CHANGES };
    if (said.kind !== 'recorded') return { result: { kind: said.kind }, changes: NO_CHANGES };
    const { labels } = said;
    this.#labels.set(record.decision_id, labels);
    this.#changes += 1;
    const changes = countLabel(record, labelInForce(before), labelInForce(labels));
    return { result: { kind: 'recorded', decision: { ...found, labels } }, changes };
  }

  forget(id: string): void {
    if (this.#changes > 0) this.#labels.delete(id);
  }
}
