import type { ActivityEntity } from '../../application/activity/activity-store.ts';
import type { DatedChange } from './told-changes.ts';

interface PendingChangesOptions {
  /** False while Redis is down: nothing is sent then. */
  readonly isUp: () => boolean;
  /** Makes one change, and calls back with false where it is not known to have been made. */
  readonly send: (change: DatedChange, tell: (isMade: boolean) => void) => void;
  /** Called when the oldest of them had to make room. */
  readonly onLost: () => void;
  /** At least 1. */
  readonly changesMax?: number;
  readonly retryMs?: number;
}

/** Changes that Redis has not confirmed. */
interface PendingChanges {
  /** Sends them, and again until they are made. Does not wait. */
  add(changes: readonly DatedChange[]): void;
  /** Gives up those of entities that are to be forgotten. */
  drop(entities: readonly ActivityEntity[]): void;
  /** Sends what waits: to be called when Redis is up again. */
  retry(): void;
}

/** At about 500 bytes a change this is 10 MB: a minute at a hundred decisions a second. */
const CHANGES_MAX = 20_000;
/** So many are under way at once, so that decisions never wait behind all of them. */
const PIECE = 64;
const RETRY_MS = 500;

/**
 * A decision that Redis could not count is counted later. One whose reply was late may be counted twice, which
 * is stricter than not at all.
 */
export function createPendingChanges(options: PendingChangesOptions): PendingChanges {
  const { isUp, send, onLost, changesMax = CHANGES_MAX, retryMs = RETRY_MS } = options;
  let waiting: DatedChange[] = [];
  let isSending = false;
  let timer: NodeJS.Timeout | undefined;

  const keep = (change: DatedChange): void => {
    if (waiting.length >= changesMax) {
      waiting = waiting.slice(-Math.floor(changesMax / 2));
      onLost();
    }
    waiting.push({ ...change, isLate: true });
  };

  const attempt = (change: DatedChange, tell: (isMade: boolean) => void): void =>
    send(change, (isMade) => {
      if (!isMade) keep(change);
      tell(isMade);
    });
  const attemptAgain = (change: DatedChange) => new Promise<boolean>((tell) => attempt(change, tell));

  const retryLater = (): void => {
    clearTimeout(timer);
    if (waiting.length > 0 && isUp()) timer = setTimeout(() => void sendAll(), retryMs).unref();
  };

  const sendAll = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    let isAnswered = true;
    while (waiting.length > 0 && isAnswered && isUp())
      isAnswered = (await Promise.all(waiting.splice(0, PIECE).map(attemptAgain))).includes(true);
    isSending = false;
    retryLater();
  };

  const retryLaterUnless = (isMade: boolean): void => {
    if (!isMade) retryLater();
  };

  return {
    add: (changes) => {
      for (const change of changes) {
        if (isUp()) attempt(change, retryLaterUnless);
        else keep(change);
      }
    },
    drop: (entities) => {
      const isDropped = ({ change: { entity } }: DatedChange) =>
        entities.some(({ part, hash }) => part === entity.part && hash === entity.hash);
      waiting = waiting.filter((change) => !isDropped(change));
    },
    retry: () => void sendAll(),
  };
}
