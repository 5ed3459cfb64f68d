import { holdsIdentifier } from '../../domain/decision-log/note-identifiers.ts';
import { firstSaidMs, type OutcomeLabel, WITHDRAWN } from '../../domain/decision-log/outcome-label.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { Clock } from '../clock.ts';
import { sleep } from '../sleep.ts';
import type { DecisionLogReader } from './decision-log.ts';
import type { ChallengeDetails, OnOutcome } from './outcome-listener.ts';
import type { RecordHashes } from './to-decision-record.ts';

/** How a decision turned out, as a caller reports it. */
interface ReportedOutcome extends ChallengeDetails {
  readonly id: string;
  readonly label: OutcomeLabel['label'];
  /** Unix milliseconds; null is now. */
  readonly atMs: number | null;
  readonly note: string | null;
  /** How many labels the decision had when this was said of it; null is any number. */
  readonly labelsSeen: number | null;
  /** The id of the API key. */
  readonly caller: string;
}

interface ReportOutcomeOptions {
  readonly log: Pick<DecisionLogReader, 'find' | 'label'>;
  /** Under each known hash key. */
  readonly hashes: readonly RecordHashes[];
  readonly clock: Clock;
  /** RFC 3339 in UTC with milliseconds, of Unix milliseconds. */
  readonly formatTime: (unixMs: number) => string;
  readonly listeners: readonly OnOutcome[];
}

/**
 * How far ahead the caller's clock may be. A time further ahead would take precedence over all later labels.
 */
const AHEAD_MS_MAX = 300_000;
/**
 * A record waits for others to share its batch, and is read a moment later: a decision that was made just now is
 * looked for again, so often and after so long each time.
 */
const JUST_MADE_MS = 1_500;
const TRIES_MAX = 10;
const LOOK_AGAIN_MS = 150;

/**
 * Records an outcome, once. Resolves with every label of the decision, the latest last, or null for a
 * decision that the log does not hold. Rejects with `invalid_request`, `conflict` and `store_unavailable`.
 */
export type ReportOutcome = (outcome: ReportedOutcome) => Promise<readonly OutcomeLabel[] | null>;

/** Builds the use case. */
export function reportOutcome(options: ReportOutcomeOptions): ReportOutcome {
  const { log, clock, formatTime, listeners } = options;
  return async ({ id, label, atMs, note, labelsSeen, caller, method, acr }) => {
    const nowMs = clock.nowMs();
    // NaN is neither before nor after: a time that is not valid is refused too.
    if (atMs !== null && !(atMs <= nowMs + AHEAD_MS_MAX)) throw refused('/at', 'is not a time up to now');
    if (label === WITHDRAWN && atMs !== null) throw refused('/at', 'is not for the label withdrawn');
    if (label !== 'challenge_passed') refuseDetails({ method, acr });
    await awaitRecord(options, id);
    await checkTexts(options, id, { '/note': note, '/method': method, '/acr': acr });
    const said: OutcomeLabel = { label, at: formatTime(atMs ?? nowMs), note, caller };
    const result = await log.label(id, said, atMs !== null, labelsSeen);
    if (result.kind === 'full') throw refused('/label', 'is one more than a decision can have');
    if (result.kind === 'changed') throw labelledSince();
    if (result.kind === 'unknown_decision') return null;
    const { record, labels } = result.decision;
    const isNew = result.kind === 'recorded';
    const told = { record, label, labels, atMs: atMs ?? firstSaidMs(labels, label), isNew, method, acr };
    const done = await Promise.all(listeners.map((listener) => listener(told)));
    if (!done.every(Boolean)) throw halfDone();
    return labels;
  };
}

/** Resolves when the log holds the decision, or will not soon. */
async function awaitRecord({ log, clock }: ReportOutcomeOptions, id: string): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX && isJustMade(id, clock.nowMs()); tries += 1) {
    if ((await log.find(id)) !== null) return;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** By the time in a UUIDv7, its first 48 bits. Clocks of replicas differ. */
function isJustMade(id: string, nowMs: number): boolean {
  const madeMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return Math.abs(nowMs - madeMs) < JUST_MADE_MS;
}

function refuseDetails({ method, acr }: ChallengeDetails): void {
  const pointer = method !== null ? '/method' : acr !== null ? '/acr' : null;
  if (pointer !== null) throw refused(pointer, 'is for the label challenge_passed');
}

/**
 * Refuses texts, by their pointers, that hold an identifier: texts are stored and shown, and the log holds no
 * raw identifier.
 */
async function checkTexts(
  { log, hashes }: ReportOutcomeOptions,
  id: string,
  texts: Readonly<Record<string, string | null>>,
): Promise<void> {
  const given = Object.entries(texts).flatMap(([pointer, text]) =>
    text === null ? [] : [[pointer, text] as const],
  );
  const found = given.length === 0 ? null : await log.find(id);
  if (found === null) return;
  const { telemetry, devices, account } = found.record.subject;
  const isOfSubject = (word: string) =>
    hashes.some(
      (under) =>
        under.telemetry(word) === telemetry ||
        devices.includes(under.device(word)) ||
        under.account(word) === account,
    );
  for (const [pointer, text] of given)
    if (holdsIdentifier(text, isOfSubject)) throw refused(pointer, 'must hold no identifier');
}

function refused(pointer: string, detail: string): RiskgateError {
  return new RiskgateError('invalid_request', 'An outcome that cannot be recorded.', {
    fields: [{ pointer, detail }],
  });
}

function labelledSince(): RiskgateError {
  return new RiskgateError('conflict', 'A decision has other labels than those that were seen.', {
    publicDetail: 'Somebody has labelled it since. Nothing is recorded.',
  });
}

function halfDone(): RiskgateError {
  return new RiskgateError(
    'store_unavailable',
    'An outcome was recorded, and not all that follows was done.',
    {
      publicDetail: 'The outcome is recorded; what follows from it may not be done. Repeat the request.',
    },
  );
}
