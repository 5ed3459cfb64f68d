/**
 * Asks for one of the places for items of batches, which are given in the order in which they are asked for.
 * Tells, at once where a place is free: true with a place, false where none was free in time. Returns what
 * gives the place back, or stops waiting for it; later calls of that do nothing.
 */
export type TakePlace = (tell: (isGranted: boolean) => void) => () => void;
