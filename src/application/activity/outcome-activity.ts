import { measureNumber } from '../../domain/activity/activity-measures.ts';
import type { Acceptance } from '../../domain/activity/activity-state.ts';
import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import type { OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';
import type { Signals } from '../../domain/evidence.ts';
import type { Clock } from '../clock.ts';
import type { OnOutcome } from '../decision-log/outcome-listener.ts';
import type { ProviderSlot } from '../evidence/gather-evidence.ts';
import { toChanges } from './activity.ts';
import type { ActivityStore } from './activity-store.ts';
import type { Claims } from './claims.ts';
import { type EvidenceOrigin, type OriginEvidence, readOrigin } from './read-evidence.ts';
import { type SubjectNames, toEntities } from './subject-names.ts';

interface OutcomeActivityOptions {
  readonly slots: readonly ProviderSlot[];
  readonly store: ActivityStore;
  readonly claims: Claims;
  readonly clock: Clock;
}

/** What a label means for the activity of the subject. */
interface Meaning {
  readonly acceptance: Acceptance;
  readonly measures: readonly number[];
}

const MEANINGS: Readonly<Partial<Record<OutcomeLabel['label'], Meaning>>> = {
  legit: { acceptance: 'accepted', measures: [] },
  challenge_passed: { acceptance: 'accepted', measures: [] },
  challenge_failed: { acceptance: 'revoked', measures: [measureNumber('challenges_failed')] },
  fraud: { acceptance: 'revoked', measures: [measureNumber('fraud_labels')] },
};

/**
 * Counts what decisions turned out to be, each label of a decision once a day, and takes part in which values
 * are known: a fraud or a failed challenge makes them unknown again. A record has the names of its subject
 * under one hash key, and what is told of it is kept under that one alone: it is read with what others have.
 */
export function createOutcomeActivity({ slots, store, claims, clock }: OutcomeActivityOptions): OnOutcome {
  /** What was seen was seen when it was decided, however late it is labelled; the label itself is of now. */
  const toLabelChanges = (record: DecisionRecord, { acceptance, measures }: Meaning) => {
    const decidedAtMs = Date.parse(record.decided_at);
    const place = record.subject.place ?? null;
    const origin = readOrigin(
      slots.flatMap((slot) => evidenceOf(record, slot)),
      { nowMs: decidedAtMs, place },
    );
    const names = namesOf(record, origin);
    const atSeconds = Math.floor(Math.min(decidedAtMs, clock.nowMs()) / 1000);
    const seen = toChanges(names, origin, { acceptance, measures: [], atSeconds });
    if (measures.length === 0) return seen;
    const counted = toEntities(names).map((entity) => ({ entity, values: [], acceptance: null, measures }));
    return [...seen, ...counted];
  };
  return async ({ record, label }) => {
    const meaning = MEANINGS[label];
    if (meaning === undefined) return true;
    const names = [JSON.stringify([record.decision_id, label])];
    const claimed = await claims.claim(names);
    if (claimed === null) return false;
    if (claimed[0] === 'done') return true;
    // Whoever counts it now may fail to; it is told again.
    if (claimed[0] === 'open') return false;
    const isKept = await store.addNow(toLabelChanges(record, meaning));
    await (isKept ? claims.settle(names) : claims.unclaim(names));
    return isKept;
  };
}

/** Records of before they were kept lack an address and a visitor. */
function namesOf({ subject }: DecisionRecord, { hardware }: EvidenceOrigin): SubjectNames {
  const { account, devices, network = null, telemetry, visitor = null } = subject;
  return { account, device: devices[0] ?? null, ip: network, telemetry, visitor, hardware };
}

function evidenceOf({ providers }: DecisionRecord, slot: ProviderSlot): readonly OriginEvidence[] {
  const use = Object.hasOwn(providers, slot.id) ? providers[slot.id] : undefined;
  if (use === undefined) return [];
  // A record's signals were written from Signals.
  return [{ slot, evidence: { outcome: use.outcome, signals: use.signals as Signals | null } }];
}
