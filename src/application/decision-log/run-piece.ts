/** Runs one piece of work that can wait, in its turn. A piece should take a few milliseconds. */
export type RunPiece = <Value>(piece: () => Value | Promise<Value>) => Promise<Value>;
