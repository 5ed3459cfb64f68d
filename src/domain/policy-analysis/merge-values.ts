import type { Dimension, Space } from './dimension.ts';
import { fillTable, type Table } from './table.ts';

/** A space in which values that no table tells apart are one, and the tables over it, in the same order. */
interface Merged {
  readonly space: Space;
  readonly tables: readonly Table[];
}

/** Keeps the first of all values of a dimension with which every table says the same. */
export function mergeValues(space: Space, tables: readonly Table[]): Merged {
  const kept = space.dimensions.map((dimension, place) => findKept(dimension, place, tables));
  const dimensions = space.dimensions.map((dimension, place) => ({
    ...dimension,
    values: dimension.values.filter((_, value) => kept[place]?.has(value)),
  }));
  const places = kept.map((values) => [...values]);
  return {
    space: { ...space, dimensions },
    tables: tables.map((table) => project(table, places)),
  };
}

/** The places of the values to keep, ascending. */
function findKept({ values }: Dimension, place: number, tables: readonly Table[]): ReadonlySet<number> {
  const signatures = values.map(() => '');
  for (const { scope, sizes, codes } of tables) {
    const at = scope.indexOf(place);
    if (at === -1) continue;
    const stride = sizes.slice(at + 1).reduce((product, size) => product * size, 1);
    const size = sizes[at] ?? 1;
    const slices = values.map((): number[] => []);
    codes.forEach((code, cell) => {
      slices[Math.floor(cell / stride) % size]?.push(code);
    });
    slices.forEach((slice, value) => {
      signatures[value] += `${slice.join('')};`;
    });
  }
  const firsts = new Map<string, number>();
  signatures.forEach((signature, value) => {
    if (!firsts.has(signature)) firsts.set(signature, value);
  });
  return new Set(firsts.values());
}

/** The table of the kept values alone. */
function project({ scope, sizes, codes }: Table, places: readonly (readonly number[])[]): Table {
  const kept = scope.map((place) => places[place] ?? []);
  const smaller = kept.map(({ length }) => length);
  const strides = sizes.map((_, at) => sizes.slice(at + 1).reduce((product, size) => product * size, 1));
  return {
    scope,
    sizes: smaller,
    codes: fillTable(scope, smaller, (assignment) => {
      const index = scope.reduce(
        (sum, place, at) => sum + (kept[at]?.[assignment.get(place) ?? 0] ?? 0) * (strides[at] ?? 0),
        0,
      );
      return codes[index] ?? 0;
    }),
  };
}
