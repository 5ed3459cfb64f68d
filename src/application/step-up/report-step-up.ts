import { holdsIdentifier } from '../../domain/decision-log/note-identifiers.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { type StepUp, toStepUp } from '../../domain/step-up/step-up.ts';
import type { Subject } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { StepUps } from './step-ups.ts';

/** A challenge that a caller says this subject has completed. */
interface ReportedStepUp {
  /** It has a telemetry id. */
  readonly subject: Subject;
  /** Unix milliseconds; null is now. */
  readonly atMs: number | null;
  readonly method: string | null;
  readonly acr: string | null;
}

/** How far ahead the caller's clock may be, as for outcomes. */
const AHEAD_MS_MAX = 300_000;

/**
 * Keeps a step-up, and resolves with it. Told again, it is no younger if its time is told too. Rejects with
 * `invalid_request`, `store_unavailable`, and `conflict` where one of this time was ended.
 */
export type ReportStepUp = (reported: ReportedStepUp) => Promise<StepUp>;

/** Builds the use case. */
export function createReportStepUp(stepUps: Pick<StepUps, 'add'>, clock: Clock): ReportStepUp {
  return async ({ subject, atMs, method, acr }) => {
    const nowMs = clock.nowMs();
    // NaN is neither before nor after: a time that is not valid is refused too.
    if (atMs !== null && !(atMs <= nowMs + AHEAD_MS_MAX)) throw refused('/at', 'is not a time up to now');
    const isOfSubject = (word: string) => idsOf(subject).includes(word);
    for (const [pointer, text] of Object.entries({ '/method': method, '/acr': acr }))
      if (text !== null && holdsIdentifier(text, isOfSubject))
        throw refused(pointer, 'must hold no identifier');
    const told = { atMs: atMs ?? nowMs, method, acr };
    const added = await stepUps.add(subject, told);
    if (added === 'kept') return toStepUp(told, nowMs);
    if (added === 'void')
      throw new RiskgateError('conflict', 'A step-up of a time whose step-ups were ended.', {
        publicDetail: 'It was ended, or may have been. Only one that is completed afterwards counts.',
      });
    throw new RiskgateError('store_unavailable', 'A step-up could not be kept.', {
      publicDetail: 'The step-up may not be kept everywhere. Repeat the request until it succeeds.',
    });
  };
}

function idsOf({ telemetryId, device, accountId }: Subject): readonly (string | null | undefined)[] {
  const devices = device.kind === 'shared' ? [device.id] : [...device.ids.values()];
  return [telemetryId, accountId, ...devices];
}

function refused(pointer: string, detail: string): RiskgateError {
  return new RiskgateError('invalid_request', 'A step-up that cannot be kept.', {
    fields: [{ pointer, detail }],
  });
}
