import fc from 'fast-check';
import t from 'tap';
import { toJsonString, toJsonStringOrNull } from '../../src/domain/json-string.ts';

t.test('writes every text as JSON.stringify does', async (t) => {
  for (let code = 0; code < 0x180; code += 1) {
    const text = `a${String.fromCharCode(code)}b`;
    t.equal(toJsonString(text), JSON.stringify(text), `U+${code.toString(16)}`);
  }
  for (const text of ['', '"', '\\', '\u2028', '\ud800', 'x\udfff', '💥', 'plain', 'two\nlines'])
    t.equal(toJsonString(text), JSON.stringify(text));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => toJsonString(text) === JSON.stringify(text)),
  );
});

t.test('writes null for null', async (t) => {
  t.equal(toJsonStringOrNull(null), 'null');
  t.equal(toJsonStringOrNull('x'), '"x"');
});
