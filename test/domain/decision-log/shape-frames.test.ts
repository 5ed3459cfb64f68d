import fc from 'fast-check';
import t from 'tap';
import { createShapeFrames } from '../../../src/domain/decision-log/shape-frames.ts';

/** What stands for an object; null where it stands for itself. */
function createShapes() {
  const shapeOf = createShapeFrames();
  const texts: string[] = [];
  const numberOf = (text: string) => (texts.includes(text) ? texts.indexOf(text) : texts.push(text) - 1);
  return (value: object) => {
    const shaped = shapeOf(value, numberOf);
    if (!Array.isArray(shaped)) {
      t.equal(shaped, value);
      return null;
    }
    const [number, ...values] = shaped as [number, ...unknown[]];
    return { text: texts[number] ?? '', values };
  };
}

/** The object again, by filling what is cut out of the text. */
function fill(text: string, values: readonly unknown[]): unknown {
  let place = 0;
  return JSON.parse(text, (_, member: unknown) => (member === '\u0000' ? values[place++] : member));
}

t.test('takes an object of a shape that it has met apart', async (t) => {
  const shape = createShapes();
  const first = { a: 1, b: { c: 'x', d: { e: null } }, list: [{ f: 1 }] };
  t.equal(shape(first), null, 'the first is sent as it is');
  const { text = '', values = [] } = shape({ a: 2, b: { c: '', d: { e: true } }, list: [] }) ?? {};
  t.same(values, [2, '', true, []]);
  t.same(fill(text, values), { a: 2, b: { c: '', d: { e: true } }, list: [] });
});

t.test('gives an object of another shape back', async (t) => {
  for (const other of [
    { a: 1 },
    { a: 1, b: { c: 1 }, d: 1 },
    { b: { c: 1 }, a: 1 },
    { a: 1, b: 2 },
    { a: 1, b: null },
    { a: 1, b: [] },
    { a: { c: 1 }, b: { c: 1 } },
    { a: 1, b: { d: 1 } },
    { a: 1, b: { c: 1, d: 1 } },
    { a: undefined, b: { c: 1 } },
    {},
  ]) {
    const shape = createShapes();
    shape({ a: 1, b: { c: 1 } });
    t.equal(shape(other), null, JSON.stringify(other));
    t.ok(shape({ a: 3, b: { c: 3 } }), 'and knows its own');
  }
});

t.test('tries a few shapes, and gives way to what comes more often', async (t) => {
  const shape = createShapes();
  const of = (serial: number) => ({ [`name-${serial}`]: serial });
  for (let serial = 0; serial < 8; serial += 1) t.equal(shape(of(serial)), null);
  for (let serial = 0; serial < 8; serial += 1) t.same(shape(of(serial))?.values, [serial]);
  let tries = 1;
  while (shape(of(9)) === null) tries += 1;
  t.ok(tries > 8 && tries <= 33, `${tries} tries`);
  t.equal(Array.from({ length: 8 }, (_, serial) => shape(of(serial))).filter(Boolean).length, 7);
});

t.test('loses nothing of any object', async (t) => {
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.integer()));
  const name = fc.constantFrom('a', 'b', 'c', '1', '');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, tie('object')),
    object: fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  }));
  const object = fc.dictionary(name, value, { maxKeys: 3, noNullPrototype: true });
  const shape = createShapes();
  let taken = 0;
  fc.assert(
    fc.property(object, (given) => {
      const shaped = shape(given);
      if (shaped === null) return true;
      taken += 1;
      return JSON.stringify(fill(shaped.text, shaped.values)) === JSON.stringify(given);
    }),
    { numRuns: 500, seed: 3 },
  );
  t.ok(taken > 50, `${taken} were taken apart`);
});
