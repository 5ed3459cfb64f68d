/**
 * Calls back at the end of this turn of the event loop, together with all others that were handed over in it.
 * What is called back does not throw.
 */
export type AtTurnEnd = (send: () => void) => void;

/** `inOneWrite` calls what it is given, and lets leave together what that sends. */
export function createTurnEnd(inOneWrite: (send: () => void) => void): AtTurnEnd {
  let waiting: (() => void)[] = [];
  const sendAll = (): void => {
    const due = waiting;
    waiting = [];
    for (const send of due) send();
  };
  const end = (): void => inOneWrite(sendAll);
  return (send) => {
    if (waiting.length === 0) setImmediate(end);
    waiting.push(send);
  };
}
