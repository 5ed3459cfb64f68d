import { type EventRecord, RECORD_VERSION } from '../../domain/decision-log/decision-record.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { Clock } from '../clock.ts';
import type { RecordDecisionOptions } from './record-decision.ts';

type Without<Union, Fields extends PropertyKey> = Union extends unknown ? Omit<Union, Fields> : never;

/** What somebody changed, as it is told to the log. */
export type RecordedEvent = Without<EventRecord, 'version' | 'kind' | 'event_id' | 'at'>;

/**
 * Records what somebody has changed, in every sink. Rejects with `decision_log_unavailable` when a strict one
 * does not hold it: the change has been made all the same.
 */
export type RecordEvent = (event: RecordedEvent) => Promise<void>;

interface RecordEventOptions extends Pick<RecordDecisionOptions, 'strict' | 'lossy' | 'formatTime'> {
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

/** Builds the step that records events. */
export function createRecordEvent(options: RecordEventOptions): RecordEvent {
  const { strict, lossy, formatTime, clock, newId } = options;
  return async (event) => {
    const own = { version: RECORD_VERSION, kind: 'event', event_id: newId() } as const;
    const record: EventRecord = { ...own, at: formatTime(clock.nowMs()), ...event };
    const isKept = await Promise.all(strict.map((delivery) => delivery.deliver(record)));
    for (const delivery of lossy) delivery.deliver(record);
    if (!isKept.every(Boolean))
      throw new RiskgateError('decision_log_unavailable', 'A change could not be recorded.', {
        publicDetail: 'The change was made and could not be recorded. Repeat the request.',
      });
  };
}
