import type { Decision } from '../../domain/decision.ts';
import type { SupersedeCause } from '../../domain/decision-log/event-record.ts';
import { takenBack, WITHDRAWN } from '../../domain/decision-log/outcome-label.ts';
import { canonicalAddress } from '../../domain/ip-address.ts';
import type { Subject } from '../../domain/subject.ts';
import { hasText } from '../../domain/subject.ts';
import type { OnOutcome, ToldOutcome } from '../decision-log/outcome-listener.ts';
import type { RecordEvent, RecordedEvent } from '../decision-log/record-event.ts';
import { hashIds, type RecordHashes } from '../decision-log/to-decision-record.ts';
import type { PurgeEvidence } from '../evidence/purge-evidence.ts';
import type { Change, Supersede } from './supersede.ts';

/** Entries of one change of a list that are looked at: the rest of an import is told by `list_changed` alone. */
const ENTRIES_MAX = 100;
const NOBODY = { caller: '', requestId: null } as const;
type Named = Readonly<Partial<Record<'telemetry' | 'device' | 'account', string | null>>>;

/** Records as before, and says what lists, forgotten subjects and shared signals supersede. */
export function supersedeByEvents(record: RecordEvent, supersede: Supersede): RecordEvent {
  return async (event) => {
    await record(event);
    for (const change of changesOf(event)) supersede(change);
  };
}

function changesOf(event: RecordedEvent): readonly Change[] {
  const by = { caller: event.caller, requestId: event.request_id };
  switch (event.event) {
    case 'list_changed':
      return event.entries.slice(0, ENTRIES_MAX).flatMap(({ part, value, hash_key: key }) => {
        // What has no hash is a network or a country, which many are in.
        if (key === null || part === 'asn' || part === 'country') return [];
        return [{ cause: 'list_changed' as const, part, hashes: [value], ...by }];
      });
    case 'subject_forgotten':
    case 'shared_signal':
      return toChanges(event.event, event.subject, by);
    case 'candidate_changed':
    case 'policy_changed':
    case 'promotion_changed':
    case 'decision.superseded':
      return [];
  }
}

/** Says what a purge of evidence supersedes, that somebody asked for. */
export function supersedeByPurges(
  purge: PurgeEvidence,
  hashes: readonly RecordHashes[],
  supersede: Supersede,
): PurgeEvidence {
  return async (target) => {
    const report = await purge(target);
    const ids = {
      telemetry: target.telemetry_id,
      device: target.device_id,
      account: target.account_id,
      // Records have the hash of its canonical spelling.
      ip: canonicalAddress(target.ip ?? '') ?? target.ip,
    } as const;
    for (const part of ['telemetry', 'device', 'account', 'ip'] as const) {
      const id = ids[part];
      if (hasText(id))
        supersede({
          cause: 'evidence_purged',
          part,
          hashes: hashes.map((under) => under[part](id)),
          ...NOBODY,
        });
    }
    return report;
  };
}

/** Says what a new label `fraud` supersedes, or taking it back: every decision about whom it was. */
export function supersedeByOutcomes(supersede: Supersede): OnOutcome {
  return async ({ record: { subject }, label, labels, isNew }) => {
    const cause = causeOf(label, labels);
    if (cause === null || !isNew) return true;
    const { telemetry, devices, account } = subject;
    for (const named of [{ telemetry, account }, ...devices.map((device) => ({ device }))])
      for (const change of toChanges(cause, named, NOBODY)) supersede(change);
    return true;
  };
}

function causeOf(label: ToldOutcome['label'], labels: ToldOutcome['labels']): SupersedeCause | null {
  if (label === 'fraud') return 'labelled_fraud';
  return label === WITHDRAWN && takenBack(labels).includes('fraud') ? 'fraud_withdrawn' : null;
}

/** Says what a device supersedes that a provider calls revoked, when it is seen. */
export function supersedeByDecisions(
  inForce: RecordHashes,
  supersede: Supersede,
): (decision: Decision, subject: Subject) => void {
  return ({ evidence }, subject) => {
    if (!evidence.some(({ signals }) => signals?.['status'] === 'revoked')) return;
    for (const device of hashIds(subject, inForce).devices)
      for (const change of toChanges('device_revoked', { device }, NOBODY)) supersede(change);
  };
}

function toChanges(
  cause: SupersedeCause,
  { telemetry = null, device = null, account = null }: Named,
  by: Pick<Change, 'caller' | 'requestId'>,
): readonly Change[] {
  return Object.entries({ telemetry, device, account }).flatMap(([part, hash]) =>
    // The names are those of the object above.
    hash === null ? [] : [{ cause, part: part as Change['part'], hashes: [hash], ...by }],
  );
}
