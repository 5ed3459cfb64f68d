/** Runs one piece of work that can wait, when its turn has come. A piece should take a few milliseconds. */
export type RunPiece = <Value>(piece: () => Value | Promise<Value>) => Promise<Value>;
