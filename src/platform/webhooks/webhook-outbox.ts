/** A message that waits for one target. It holds no identifier. */
export interface WaitingWebhook {
  readonly target: string;
  readonly id: string;
  readonly body: string;
  /** Shows that who has the key of the target wrote id and body: what it was kept in may be written by others. */
  readonly seal: string;
  /** How often it was sent. */
  readonly attempt: number;
  /** When it is to be sent, Unix milliseconds. */
  readonly dueAtMs: number;
}

/**
 * Keeps messages that wait, so that they outlive the process. Nothing here rejects or throws: a message that
 * cannot be kept waits in memory, and its owner is told elsewhere.
 */
export interface WebhookOutbox {
  /** Keeps a message as it is now. */
  put(message: WaitingWebhook): void;
  /** The caller still has these, although their time is over; said several times a minute. */
  hold(target: string, ids: readonly string[]): void;
  /** It was delivered, or given up. */
  remove(target: string, id: string): void;
  /** Messages of a target that no process sends, `count` at most. They are the caller's from then on. */
  claim(target: string, count: number): Promise<readonly WaitingWebhook[]>;
}
