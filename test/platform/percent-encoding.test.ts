import fc from 'fast-check';
import t from 'tap';
import { toPathSegment, toQueryValue } from '../../src/platform/percent-encoding.ts';

t.test('refuses what no encoding keeps intact', async (t) => {
  for (const value of ['', '.', '..', '\ud800', '\udc00x']) t.equal(toPathSegment(value), null);
  t.equal(toQueryValue('\ud800'), null);
  t.equal(toQueryValue('..'), '..');
});

t.test('gives a segment that every URL parser keeps and decodes to the value', async () => {
  const property = fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
    const segment = toPathSegment(value);
    if (segment === null) return value === '.' || value === '..' || !value.isWellFormed();
    const { pathname } = new URL(`http://localhost/a/${segment}/b`);
    return pathname === `/a/${segment}/b` && decodeURIComponent(segment) === value;
  });
  fc.assert(property, { seed: 1 });
});
