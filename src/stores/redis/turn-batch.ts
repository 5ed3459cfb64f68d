import type { RedisHandle } from './handle.ts';

/** Asks for one entry, together with all that others ask for in the same turn of the event loop. */
type AskInBatch<Asked, Told> = (asked: Asked) => Promise<Told>;

interface TurnBatchOptions<Asked, Told> {
  /** On a cluster, entries of different groups never share a call: it serves only one slot in each. */
  readonly groupOf?: (asked: Asked) => string;
  /** One call. Resolves what is told to each entry, in their order. */
  readonly send: (asked: readonly Asked[]) => Promise<readonly Told[]>;
  /**
   * What is told to every entry of a call that rejected, or that told it nothing: that nothing is known. Only a
   * defect can get here, and it must neither end the process nor leave a decision waiting.
   */
  readonly unknown: Told;
  readonly entriesMax?: number;
}

interface Entry<Asked, Told> {
  readonly asked: Asked;
  readonly tell: (told: Told) => void;
}

/**
 * While a script runs, Redis serves and answers nobody else: with so many entries for one or two
 * milliseconds.
 */
const ENTRIES_MAX = 32;

/** Asks as AskInBatch does, and calls back with what is told, which costs less than a promise. Never throws. */
type QueueInBatch<Asked, Told> = (asked: Asked, tell: (told: Told) => void) => void;

/**
 * Sends what was asked for within one turn of the event loop as one call, or as several where that would be
 * too large. A command costs both sides more than an entry does.
 */
export function createTurnBatch<Asked, Told>(
  redis: Pick<RedisHandle, 'atTurnEnd' | 'isCluster'>,
  options: TurnBatchOptions<Asked, Told>,
): AskInBatch<Asked, Told> {
  const queue = createTurnQueue(redis, options);
  return (asked) => new Promise((tell) => queue(asked, tell));
}

/** The same for those who need no promise. What they call back with must not throw. */
export function createTurnQueue<Asked, Told>(
  { atTurnEnd, isCluster }: Pick<RedisHandle, 'atTurnEnd' | 'isCluster'>,
  options: TurnBatchOptions<Asked, Told>,
): QueueInBatch<Asked, Told> {
  const { send, unknown, entriesMax = ENTRIES_MAX } = options;
  const groupOf = isCluster ? options.groupOf : undefined;
  let waiting: Entry<Asked, Told>[] = [];

  const sendPiece = async (piece: readonly Entry<Asked, Told>[]): Promise<void> => {
    let told: readonly Told[] = [];
    try {
      told = await send(piece.map(({ asked }) => asked));
    } catch {
      // Its message may quote what was asked.
    }
    for (let place = 0; place < piece.length; place += 1)
      piece[place]?.tell(place < told.length ? (told[place] as Told) : unknown);
  };

  const flush = (): void => {
    const entries = waiting;
    waiting = [];
    const groups = groupOf === undefined ? [entries] : Map.groupBy(entries, (e) => groupOf(e.asked)).values();
    for (const group of groups) {
      for (let from = 0; from < group.length; from += entriesMax) {
        void sendPiece(
          from === 0 && group.length <= entriesMax ? group : group.slice(from, from + entriesMax),
        );
      }
    }
  };

  return (asked, tell) => {
    if (waiting.length === 0) atTurnEnd(flush);
    waiting.push({ asked, tell });
  };
}
