import t from 'tap';
import { isMap, type Pair, parseDocument } from 'yaml';
import { createFinder } from '../../src/platform/yaml-places.ts';

const SIZE = 2_000;

t.test('reads each key of a mapping once, however many are looked for', async (t) => {
  const names = Array.from({ length: SIZE }, (_, index) => `key${index}`);
  const text = names.map((name) => `${name}: {a: 1}\n`).join('');
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('no mapping');
  let reads = 0;
  for (const pair of contents.items) countReads(pair, () => (reads += 1));
  const find = createFinder(contents, text);
  for (const [index, name] of names.entries())
    t.equal(find([name, 'a']).offset, text.indexOf(`${name}: `) + name.length + 6, String(index));
  t.ok(reads >= SIZE && reads <= 4 * SIZE, `${reads} reads`);
});

function countReads(pair: Pair, onRead: () => void): void {
  const { key } = pair;
  Object.defineProperty(pair, 'key', {
    get: () => {
      onRead();
      return key;
    },
  });
}

t.test('falls back to the nearest parent', async (t) => {
  const text = 'a: {b: [1, 2]}\n';
  const find = createFinder(parseDocument(text).contents, text);
  for (const [path, offset] of [
    [[], 0],
    [['a'], 3],
    [['a', 'b'], 7],
    [['a', 'b', 1], 11],
    [['a', 'b', 2], 7],
    [['a', 'c', 'd'], 3],
    [['x'], 0],
  ] as const)
    t.equal(find(path).offset, offset, path.join('.'));
  t.equal(find(['a', 'b'], { isKey: true }).offset, 4);
});
