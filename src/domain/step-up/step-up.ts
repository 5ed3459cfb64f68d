/** A challenge that a subject has completed, as the back end told it. */
export interface StepUp {
  /** When, Unix milliseconds. */
  readonly atMs: number;
  /** How, in the back end's words (`otp`, `hwk`); null where it did not say. */
  readonly method: string | null;
  /** What it achieved (the authentication context class of OpenID Connect); null where it did not say. */
  readonly acr: string | null;
  /**
   * When the caller said it was, where that was ahead of the clock that took it: told again, it has the same time
   * here and another `atMs`. Absent where it was not.
   */
  readonly toldAtMs?: number;
}

/**
 * Who completed a challenge: telemetry id, devices and account together, as keyed hashes of one key. A part
 * that the caller did not give is a part too: nobody without an account has the step-up of an account.
 */
export interface StepUpSubject {
  readonly telemetry: string;
  /** Each once, in the order of their text; empty without a device. */
  readonly devices: readonly string[];
  readonly account: string | null;
}

/** A part of such a subject. */
export type StepUpPart = 'telemetry' | 'device' | 'account';

/**
 * What is known of the step-up of a subject: `none` where it has none, `unknown` where it may have had one
 * that is lost.
 */
export type FoundStepUp = StepUp | 'none' | 'unknown';

/**
 * The step-ups of one telemetry id, of all devices, with the account and without one. The device and the
 * account are told by callers and can be guessed, so that the number is bounded.
 */
export const STEP_UPS_MAX = 8;

/**
 * The most that the clock of a replica may be behind that of another. A step-up that is further in the future
 * says that a clock was set back: nobody can tell how old it is.
 */
const CLOCK_SLACK_MS = 5_000;

/** Stores keep no step-up longer, and none is of use that is older. */
export const STEP_UP_SECONDS_MAX = 30 * 86_400;

/** What a store did with a step-up: `void` where one of its time was ended, `unknown` where it cannot tell. */
export type AddedStepUp = 'kept' | 'void' | 'unknown';

/** A step-up of now, or of the time that was told, which is never ahead. */
export function toStepUp({ atMs, method, acr }: Omit<StepUp, 'toldAtMs'>, nowMs: number): StepUp {
  // A caller whose clock is ahead must not prolong it.
  return atMs > nowMs ? { atMs: nowMs, method, acr, toldAtMs: atMs } : { atMs, method, acr };
}

/** The time by which the same step-up is known again, however often it is told. */
export function toldAt({ atMs, toldAtMs = atMs }: StepUp): number {
  return toldAtMs;
}

/**
 * Up to which time step-ups are void that are ended now: what was completed just before has a later time where the
 * clock of its replica is ahead, and so has one that was told without a time, and is told again at once.
 */
export function voidUntil(nowMs: number): number {
  return nowMs + CLOCK_SLACK_MS;
}

/** The whole seconds since a step-up; null where it lies in the future. */
export function ageSeconds({ atMs }: StepUp, nowMs: number): number | null {
  if (atMs > nowMs + CLOCK_SLACK_MS) return null;
  return Math.floor(Math.max(0, nowMs - atMs) / 1000);
}

/**
 * Names the devices of a subject, and whether it has an account, in one text. With one account for each
 * telemetry id this tells its subjects apart.
 */
export function slotOf({ devices, account }: StepUpSubject): string {
  return `${devices.join('+')}${account === null ? '' : '@'}`;
}

/** A step-up that is kept, and whose it is. */
export interface KeptStepUp extends StepUp, StepUpSubject {}

/** The most that are told of one part of a subject: the latest. */
export const KEPT_TOLD_MAX = 20;

/** The step-ups of one telemetry id by their slots, as they are told. `account` is the one of all that have one. */
export function toKeptStepUps(
  telemetry: string,
  account: string | null,
  slots: Iterable<readonly [slot: string, stepUp: StepUp]>,
): readonly KeptStepUp[] {
  return Array.from(slots, ([slot, stepUp]) => ({
    ...stepUp,
    telemetry,
    devices: slot
      .replace('@', '')
      .split('+')
      .filter((device) => device !== ''),
    account: slot.endsWith('@') ? account : null,
  }));
}

/** Those that name this part, the latest first, KEPT_TOLD_MAX at most. */
export function latestOf(kept: readonly KeptStepUp[], part: StepUpPart, hash: string): readonly KeptStepUp[] {
  const isOf = (stepUp: KeptStepUp) =>
    part === 'device' ? stepUp.devices.includes(hash) : stepUp[part] === hash;
  return kept
    .filter(isOf)
    .sort((left, right) => right.atMs - left.atMs)
    .slice(0, KEPT_TOLD_MAX);
}
