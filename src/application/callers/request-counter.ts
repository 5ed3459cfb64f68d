/** The number of a request in the current window, from 1, and how long the window still lasts. */
export interface WindowCount {
  readonly count: number;
  readonly leftMs: number;
}

/**
 * Counts the requests of callers in fixed windows. Never rejects: when the shared count cannot be reached,
 * counting goes on in this process.
 */
export interface RequestCounter {
  /**
   * `max` is the limit of the window, and so how exact the numbers must be: no number is given twice, but
   * some may be skipped.
   */
  count(callerId: string, windowMs: number, max: number): WindowCount | Promise<WindowCount>;
}
