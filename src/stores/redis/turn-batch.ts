/** Asks for one entry, together with all that others ask for in the same turn of the event loop. */
type AskInBatch<Asked, Told> = (asked: Asked) => Promise<Told>;

interface TurnBatchOptions<Asked, Told> {
  /** Entries of different groups never share a call: a cluster serves only one slot in each. */
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

/**
 * Sends what was asked for within one turn of the event loop as one call, or as several where that would be
 * too large. A command costs both sides more than an entry does.
 */
export function createTurnBatch<Asked, Told>(
  options: TurnBatchOptions<Asked, Told>,
): AskInBatch<Asked, Told> {
  const { groupOf, send, unknown, entriesMax = ENTRIES_MAX } = options;
  let waiting: Entry<Asked, Told>[] = [];

  const sendPiece = async (piece: readonly Entry<Asked, Told>[]): Promise<void> => {
    let told: readonly Told[] = [];
    try {
      told = await send(piece.map(({ asked }) => asked));
    } catch {
      // Its message may quote what was asked.
    }
    for (const [place, { tell }] of piece.entries())
      tell(place < told.length ? (told[place] as Told) : unknown);
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

  return (asked) =>
    new Promise((tell) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ asked, tell });
    });
}
