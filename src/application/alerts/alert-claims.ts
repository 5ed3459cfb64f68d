/** What is told of an alert. */
export type AlertChange = 'firing' | 'resolved';

/**
 * Which replica tells of an alert: of those that see the same, one. It keeps what was told last, for a day, so that an
 * alert that goes on is told again each day.
 */
export interface AlertClaims {
  /**
   * True for the one replica that is to tell. A `reminder` is of what did not change here: that an alert still fires, at
   * each reading, or has been fine for a while. It is granted where another replica told otherwise some minutes ago, and
   * that it fires also where nothing was told for a day. Null where the store cannot say. Never rejects.
   */
  claim(name: string, change: AlertChange, isReminder: boolean): Promise<boolean | null>;
}

/** How long it is kept what was told. */
export const TOLD_MS = 86_400_000;
/** Replicas read at different moments: one that is behind does not contradict another for so long. */
export const SETTLE_MS = 180_000;
