import type { DecisionLogReader, LogPage, LogPosition } from '../../application/decision-log/decision-log.ts';
import { DecisionGroups } from '../../domain/decision-log/decision-groups.ts';
import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import type { SaidLabel } from '../../domain/decision-log/group-keys.ts';
import { saidInForce } from '../../domain/decision-log/outcome-label.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { SubjectTally } from '../../domain/decision-log/subject-history.ts';
import {
  hashesOfPart,
  SUBJECT_PARTS,
  type SubjectPartName,
} from '../../domain/decision-log/subject-parts.ts';

interface LookThroughOptions {
  readonly reader: Pick<DecisionLogReader, 'query' | 'labelsOf'>;
  /** Pages that one question reads at most. */
  readonly pagesMax: number;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** Lets others run between two pages. */
  readonly pause: () => Promise<unknown>;
}

/** Records on a page: a few milliseconds. */
const PAGE = 500;
/** Records that fit, and are looked at for one question. */
const RECORDS_MAX = 20_000;

/**
 * Answers by looking at records one by one, the newest first, for a log that keeps nothing else to answer
 * from. Each question looks at a bounded number of them, and says how far it got.
 */
export function lookThrough(
  options: LookThroughOptions,
): Pick<DecisionLogReader, 'group' | 'distinct' | 'subject'> {
  return {
    group: async ({ filter, ...grouping }) => {
      const groups = new DecisionGroups(grouping);
      const needsLabels = grouping.by.some((key) => key === 'label' || key === 'labelled');
      const coveredFromMs = await eachRecord(options, filter, needsLabels, (record, label) =>
        groups.add(record, label),
      );
      return groups.read(coveredFromMs);
    },
    distinct: async (filter) => {
      const seen = new Map<SubjectPartName, Set<string>>(SUBJECT_PARTS.map((part) => [part, new Set()]));
      const coveredFromMs = await eachRecord(options, filter, false, ({ subject }) => {
        for (const [part, hashes] of seen) for (const hash of hashesOfPart(subject, part)) hashes.add(hash);
      });
      const counts = [...seen].map(([part, hashes]) => [part, hashes.size]);
      // `Object.fromEntries` forgets that every part is there.
      const subjects = Object.fromEntries(counts) as Record<SubjectPartName, number>;
      return { subjects, coveredFromMs };
    },
    subject: async (part, hash) => {
      const tally = new SubjectTally(hash);
      const coveredFromMs = await eachRecord(options, { [part]: [hash] }, true, (record, label) =>
        tally.add({ ...record, atMs: Date.parse(record.decided_at), label: label?.label ?? null }),
      );
      return tally.read(coveredFromMs === null);
    },
  };
}

/** Resolves with the time from which on everything was looked at; null where that is all. */
async function eachRecord(
  { reader, pagesMax, pause, nowMs }: LookThroughOptions,
  filter: RecordFilter,
  needsLabels: boolean,
  tell: (record: DecisionRecord, label: SaidLabel | null) => void,
): Promise<number | null> {
  let before: LogPosition | null = null;
  // Nothing tells how far a page has got that holds no record.
  let reachedMs = filter.until === undefined ? nowMs() : Date.parse(filter.until);
  let found = 0;
  for (let pages = 0; pages < pagesMax && found < RECORDS_MAX; pages += 1) {
    const page: LogPage = await reader.query(filter, { before, limit: PAGE });
    const labels = needsLabels && page.entries.length > 0 ? await reader.labelsOf(page.entries) : null;
    for (const { record } of page.entries) {
      if (record.kind !== 'decision') continue;
      tell(record, saidInForce(labels?.get(record.decision_id) ?? []));
      reachedMs = Math.min(reachedMs, Date.parse(record.decided_at));
    }
    if (page.next === null) return null;
    found += page.entries.length;
    before = page.next;
    await pause();
  }
  return reachedMs;
}
