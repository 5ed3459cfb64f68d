import {
  type LABEL_MEASURES,
  measureNumber,
  WITHDRAWN_MEASURES,
} from '../../domain/activity/activity-measures.ts';
import type { Acceptance } from '../../domain/activity/activity-state.ts';
import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import {
  type Label,
  type OutcomeLabel,
  takenBack,
  WITHDRAWN,
  withdrawals,
} from '../../domain/decision-log/outcome-label.ts';
import type { Signals } from '../../domain/evidence.ts';
import type { Clock } from '../clock.ts';
import type { OnOutcome, ToldOutcome } from '../decision-log/outcome-listener.ts';
import type { ProviderSlot } from '../evidence/gather-evidence.ts';
import { toChanges } from './activity.ts';
import type { ActivityChange, ActivityStore } from './activity-store.ts';
import type { Claims } from './claims.ts';
import { type EvidenceOrigin, type OriginEvidence, readOrigin } from './read-evidence.ts';
import { type SubjectNames, toEntities } from './subject-names.ts';

interface OutcomeActivityOptions {
  readonly slots: readonly ProviderSlot[];
  readonly store: ActivityStore;
  readonly claims: Claims;
  readonly clock: Clock;
}

/** What one label changes. */
interface Changes {
  readonly changes: readonly ActivityChange[];
  /** What is counted against labels that are withdrawn. */
  readonly against: readonly ActivityChange[];
}

/** What a label means for the activity of the subject. */
interface Meaning {
  readonly acceptance: Acceptance;
  /** What is counted of it. */
  readonly measure?: (typeof LABEL_MEASURES)[number];
}

const MEANINGS: Readonly<Partial<Record<Label, Meaning>>> = {
  legit: { acceptance: 'accepted' },
  challenge_passed: { acceptance: 'accepted' },
  challenge_failed: { acceptance: 'revoked', measure: 'challenges_failed' },
  fraud: { acceptance: 'revoked', measure: 'fraud_labels' },
};

/**
 * Counts what decisions turned out to be, each label of a decision once a day, and takes part in which values
 * are known: a fraud or a failed challenge makes them unknown again. A record has the names of its subject
 * under one hash key, and what is told of it is kept under that one alone: it is read with what others have.
 *
 * Labels that are withdrawn within a day are counted against what was counted of them. Values that became known by
 * them are unknown again, and those that became unknown stay so: what they were before is not kept.
 *
 * What is told again may be counted twice, which is stricter than not at all. What is counted against labels is so
 * once at most, and last: twice would take another decision's label away.
 */
export function createOutcomeActivity({ slots, store, claims, clock }: OutcomeActivityOptions): OnOutcome {
  /** What was seen was seen when it was decided, however late it is labelled. */
  const toSeen = (record: DecisionRecord, acceptance: Acceptance) => {
    const decidedAtMs = Date.parse(record.decided_at);
    const place = record.subject.place ?? null;
    const origin = readOrigin(
      slots.flatMap((slot) => evidenceOf(record, slot)),
      { nowMs: decidedAtMs, place },
    );
    const names = namesOf(record, origin);
    const atSeconds = Math.floor(Math.min(decidedAtMs, clock.nowMs()) / 1000);
    return { names, changes: toChanges(names, origin, { acceptance, measures: [], atSeconds }) };
  };
  /** A label is counted now. */
  const toLabelled = (record: DecisionRecord, { acceptance, measure }: Meaning): Changes => {
    const { names, changes } = toSeen(record, acceptance);
    const counted = measure === undefined ? [] : toCounts(names, measure);
    return { changes: [...changes, ...counted], against: [] };
  };
  /** Null where it is not known what was counted. */
  const toWithdrawn = async ({ record, labels }: ToldOutcome): Promise<Changes | null> => {
    const back = takenBack(labels).filter((label) => MEANINGS[label] !== undefined);
    if (back.length === 0) return { changes: [], against: [] };
    const claimed = back.map((label) => claimOf(record, label, withdrawals(labels) - 1));
    const found = await claims.claim(claimed);
    if (found === null) return null;
    await claims.unclaim(claimed.filter((_, place) => found[place] === 'new'));
    if (found.includes('open')) return null;
    const { names, changes } = toSeen(record, 'revoked');
    const against = back.flatMap((label, place) => {
      const measure = MEANINGS[label]?.measure;
      if (found[place] !== 'done' || measure === undefined) return [];
      const saidMs = Date.parse(labels.findLast((said) => said.label === label)?.at ?? '');
      const atSeconds = Math.floor(Math.min(saidMs, clock.nowMs()) / 1000);
      return toCounts(names, WITHDRAWN_MEASURES[measure], atSeconds);
    });
    return { changes, against };
  };
  return async (told) => {
    const { record, label, labels } = told;
    const meaning = label === WITHDRAWN ? undefined : MEANINGS[label];
    if (meaning === undefined ? label !== WITHDRAWN : isOver(label, meaning, labels)) return true;
    const names = [claimOf(record, label, withdrawals(labels))];
    const claimed = await claims.claim(names);
    if (claimed === null) return false;
    if (claimed[0] === 'done') return true;
    // Whoever counts it now may fail to; it is told again.
    if (claimed[0] === 'open') return false;
    const made = meaning === undefined ? await toWithdrawn(told) : toLabelled(record, meaning);
    const isKept = made !== null && (await store.addNow(made.changes));
    await (isKept ? claims.settle(names) : claims.unclaim(names));
    if (isKept && made.against.length > 0) await store.addNow(made.against);
    return isKept;
  };
}

/**
 * True where a label that is told late, or once more, has nothing to say any more: it was taken back, or it would
 * accept what a later one revokes. The latest stands last, whenever it was told.
 */
function isOver(
  label: Label | typeof WITHDRAWN,
  { acceptance }: Meaning,
  labels: ToldOutcome['labels'],
): boolean {
  const place = labels.findLastIndex((said) => said.label === label);
  return labels.slice(place + 1).some(({ label: later }) => {
    if (later === WITHDRAWN) return true;
    return acceptance === 'accepted' && MEANINGS[later]?.acceptance === 'revoked';
  });
}

/** A label that is said again after a withdrawal is counted again. */
function claimOf(
  { decision_id: id }: DecisionRecord,
  label: OutcomeLabel['label'],
  withdrawn: number,
): string {
  return JSON.stringify(withdrawn === 0 ? [id, label] : [id, label, withdrawn]);
}

function toCounts(names: SubjectNames, measure: string, atSeconds?: number): readonly ActivityChange[] {
  const at = atSeconds === undefined ? {} : { atSeconds };
  const measures = [measureNumber(measure)];
  return toEntities(names).map((entity) => ({ entity, values: [], acceptance: null, measures, ...at }));
}

/** Records of before they were kept lack an address and a visitor. */
function namesOf({ subject }: DecisionRecord, { hardware }: EvidenceOrigin): SubjectNames {
  const { account, devices, network = null, telemetry, visitor = null } = subject;
  return { account, device: devices[0] ?? null, ip: network, telemetry, visitor, hardware };
}

function evidenceOf({ providers }: DecisionRecord, slot: ProviderSlot): readonly OriginEvidence[] {
  const use = Object.hasOwn(providers, slot.id) ? providers[slot.id] : undefined;
  if (use === undefined) return [];
  // A record's signals were written from Signals. Whether its provider is suspect now says nothing of it.
  return [
    { slot, evidence: { outcome: use.outcome, signals: use.signals as Signals | null }, origin: 'none' },
  ];
}
