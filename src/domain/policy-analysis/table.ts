/** In a table of what can be together: it cannot. */
export const NEVER = 0;

/** For each combination of the values of some dimensions, a code. */
export interface Table {
  /** Places of dimensions, ascending. */
  readonly scope: readonly number[];
  /** How many values each has. */
  readonly sizes: readonly number[];
  /** The last dimension of the scope changes fastest. */
  readonly codes: Uint8Array;
}

/** Something that cannot be: a table of what can be together. */
export interface Constraint extends Table {
  /** True for one that says nothing of evidence of which one part alone is lost. */
  readonly isFormal: boolean;
}

/** A table of these dimensions, filled cell by cell. */
export function fillTable(
  scope: readonly number[],
  sizes: readonly number[],
  codeOf: (assignment: ReadonlyMap<number, number>) => number,
): Uint8Array {
  const cells = sizes.reduce((product, size) => product * size, 1);
  const codes = new Uint8Array(cells);
  const assignment = new Map<number, number>();
  for (let cell = 0; cell < cells; cell += 1) {
    let rest = cell;
    for (let at = scope.length - 1; at >= 0; at -= 1) {
      const size = sizes[at] ?? 1;
      assignment.set(scope[at] ?? 0, rest % size);
      rest = Math.floor(rest / size);
    }
    codes[cell] = codeOf(assignment);
  }
  return codes;
}
