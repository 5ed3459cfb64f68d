import { CUT } from './signals-text.ts';

/** The names of an object and of the objects in it, in their order. */
interface Shape {
  readonly names: readonly string[];
  /** Null for what is no object of names. */
  readonly members: readonly (Shape | null)[];
}

/** A shape, and its text: JSON with a mark wherever a value stands. */
interface ShapeFrame extends Shape {
  readonly text: string;
}

/** Shapes that are tried: an object of another one is sent as it is. */
const SHAPES_MAX = 8;
/** One in so many of those objects has its shape tried from then on, instead of one of the others. */
const REPLACED_SHARE = 32;

/**
 * Builds what takes objects of a few shapes apart, such as one fact in all records: most of their JSON is names. It
 * gives a list of the number of the shape, which `numberOf` gives to its text, and of the values that stand in the
 * object, in their order; an object of another shape is given back.
 */
export function createShapeFrames(): (value: object, numberOf: (text: string) => number) => object {
  const shapes: ShapeFrame[] = [];
  let misses = 0;
  return (value, numberOf) => {
    for (let place = 0; place < shapes.length; place += 1) {
      const shape = shapes[place] as ShapeFrame;
      const values: unknown[] = [0];
      if (!take(shape, value, values)) continue;
      // What comes often is tried first.
      if (place > 0) {
        shapes[place] = shapes[place - 1] as ShapeFrame;
        shapes[place - 1] = shape;
      }
      values[0] = numberOf(shape.text);
      return values;
    }
    misses += 1;
    if (shapes.length < SHAPES_MAX) shapes.push(toFrame(value));
    else if (misses % REPLACED_SHARE === 0) shapes[SHAPES_MAX - 1] = toFrame(value);
    return value;
  };
}

/** Adds the values of an object; false where it has another shape. */
function take({ names, members }: Shape, value: object, values: unknown[]): boolean {
  let place = 0;
  // It has no names but its own.
  for (const name in value) {
    if (name !== names[place]) return false;
    const member = (value as Readonly<Record<string, unknown>>)[name];
    const inner = members[place];
    place += 1;
    if (isNamed(member)) {
      if (inner === null || inner === undefined || !take(inner, member, values)) return false;
    } else if (inner !== null || member === undefined) return false;
    else values.push(member);
  }
  return place === names.length;
}

function toFrame(value: object): ShapeFrame {
  return { ...toShape(value), text: JSON.stringify(toTemplate(value)) };
}

function toShape(value: object): Shape {
  const members = Object.values(value).map((member) => (isNamed(member) ? toShape(member) : null));
  return { names: Object.keys(value), members };
}

function toTemplate(value: object): object {
  const entries = Object.entries(value).map(([name, member]) => [
    name,
    isNamed(member) ? toTemplate(member) : CUT,
  ]);
  return Object.fromEntries(entries) as object;
}

function isNamed(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
