import {
  ACCOUNT_FIELD,
  type CustodyRecord,
  type CustodyUser,
  DEVICE_FIELD_PREFIX,
  isInDoubt,
} from '../../domain/custody.ts';
import {
  type TelemetryCustody,
  type TelemetryExpiry,
  toCustodyResult,
  toTelemetrySignals,
} from '../../domain/policy/telemetry-signals.ts';
import { foldId, hasText, questionFor, type Subject, spellPart } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import {
  enabledDeviceProviders,
  type Gathered,
  isEvidenceLost,
  type ProviderSlot,
} from '../evidence/gather-evidence.ts';
import { settleBy } from '../facts/settle-by.ts';
import type { OperationObserver } from '../operation-observer.ts';
import type { CustodyName, CustodyStore } from './custody-store.ts';

/**
 * Keyed hashes under one key, each for one purpose: they only show whether two identifiers are equal. Hashes
 * of one telemetry id under different keys begin with the same two digits.
 */
export interface CustodyHashes {
  readonly telemetry: (id: string) => string;
  readonly device: (id: string) => string;
  readonly account: (id: string) => string;
}

interface CustodyDependencies {
  readonly slots: readonly ProviderSlot[];
  readonly store: CustodyStore;
  /** Under each known hash key, the one in force first. */
  readonly hashes: readonly CustodyHashes[];
  readonly clock: Clock;
  readonly observer: Pick<OperationObserver, 'onCustody'>;
}

/**
 * One use of a telemetry id. `names` is empty without a telemetry id. `record` is null where custody is
 * unknown; a record that is present can still be in doubt (see isInDoubt).
 */
export interface CustodyUse {
  readonly names: readonly CustodyName[];
  readonly record: CustodyRecord | null;
}

/** Binds telemetry ids to their first users. */
export interface Custody {
  /**
   * Records a use. Never rejects, and settles by the deadline (monotonic milliseconds): without an answer by
   * then, custody is unknown.
   */
  take(subject: Subject, deadlineAtMs: number): CustodyUse | Promise<CustodyUse>;
  /**
   * The custody that a policy reads, once the evidence is known. Also extends the binding's life by what the
   * providers reported about the telemetry id, without waiting for the store.
   */
  conclude(use: CustodyUse, gathered: readonly Gathered[], nowMs: number): TelemetryCustody;
}

const NOTHING_TO_KEEP: CustodyUse = { names: [], record: null };

/** Builds the use case; see Custody. */
export function createCustody({ slots, store, hashes, clock, observer }: CustodyDependencies): Custody {
  const deviceSlots = slots.filter(({ subject }) => subject === 'device_id');
  const enabledSlots = deviceSlots.filter(({ source }) => source !== null);
  const enabledIds = enabledDeviceProviders(slots);
  // Where no device API is enabled, no provider checks the device id, but it still tells devices apart.
  const boundSlots = (enabledSlots.length > 0 ? enabledSlots : deviceSlots).map((slot) => ({
    slot,
    field: DEVICE_FIELD_PREFIX + slot.id,
  }));

  const toUser = (subject: Subject, { account, device }: CustodyHashes): CustodyUser => {
    const user: Record<string, string> = {};
    if (hasText(subject.accountId)) user[ACCOUNT_FIELD] = account(subject.accountId);
    for (const { slot, field } of boundSlots) {
      const question = questionFor(subject, slot, enabledIds);
      if (question.kind === 'ask') user[field] = device(question.id);
    }
    return user;
  };

  const toCustody = ({ names, record }: CustodyUse, gathered: readonly Gathered[], nowMs: number) => {
    if (names.length === 0) return 'none';
    if (record === null) return 'unknown';
    const expiry = toExpiry(gathered);
    keep(store, names, record, expiry, gathered);
    if (record.loss !== null && isInDoubt(record, toCreatedAtMs(gathered))) return 'unknown';
    return toTelemetrySignals(record, expiry, nowMs);
  };

  return {
    take: (subject, deadlineAtMs) => {
      // What no provider can be asked about is a missing id.
      const telemetryId = spellPart('telemetry_id', subject.telemetryId ?? '');
      if (telemetryId === null) return NOTHING_TO_KEEP;
      // Evidence about another spelling of an id is accepted, so that spelling must not count as a separate
      // first use.
      const folded = foldId(telemetryId);
      const names = hashes.map((under) => ({ key: under.telemetry(folded), user: toUser(subject, under) }));
      const record = store.use(names);
      if (!(record instanceof Promise)) return { names, record };
      return settleBy(record, deadlineAtMs - clock.monotonicMs(), null).then((settled) => ({
        names,
        record: settled,
      }));
    },
    conclude: (use, gathered, nowMs) => {
      const custody = toCustody(use, gathered, nowMs);
      const result = toCustodyResult(custody);
      if (result !== 'none') observer.onCustody({ result });
      return custody;
    },
  };
}

/**
 * The expiry that the providers of telemetry ids report for this one: the earliest, where there are several.
 */
function toExpiry(gathered: readonly Gathered[]): TelemetryExpiry {
  let validUntilMs: number | null = null;
  let isLost = false;
  for (const piece of gathered) {
    const { slot, evidence } = piece;
    const { subject, source } = slot;
    if (subject !== 'telemetry_id' || source === null) continue;
    if (isEvidenceLost(piece)) isLost = true;
    const said = evidence.signals === null ? null : source.subjectExpiresAtMs(evidence.signals);
    if (said !== null) validUntilMs = Math.min(said, validUntilMs ?? said);
  }
  return { validUntilMs, isLost };
}

/**
 * When the telemetry id was created, Unix milliseconds: the earliest time that its providers report, null
 * where none does.
 */
function toCreatedAtMs(gathered: readonly Gathered[]): number | null {
  let createdAtMs: number | null = null;
  for (const { slot, evidence } of gathered) {
    const { subject, source } = slot;
    if (subject !== 'telemetry_id' || source === null || evidence.signals === null) continue;
    const said = source.subjectCreatedAtMs(evidence.signals);
    if (said !== null) createdAtMs = Math.min(said, createdAtMs ?? said);
  }
  return createdAtMs;
}

/**
 * Gives the binding its full life, so that it outlives the telemetry id. Does nothing for an id that no
 * provider knows, unless a provider is suspect or gave no definite answer: without the binding the next use
 * would be a first use.
 */
function keep(
  store: CustodyStore,
  names: readonly CustodyName[],
  record: CustodyRecord,
  { validUntilMs }: TelemetryExpiry,
  gathered: readonly Gathered[],
): void {
  const isNews = validUntilMs === null ? !record.isKept : validUntilMs !== record.validUntilMs;
  if (!isNews) return;
  const isUnknownId = gathered.some(
    ({ slot: { subject, source }, evidence }) =>
      subject === 'telemetry_id' && evidence.outcome === 'not_found' && !source?.isSuspect(),
  );
  if (validUntilMs === null && isUnknownId) return;
  store.keep(
    names.map(({ key }) => key),
    validUntilMs,
  );
}
