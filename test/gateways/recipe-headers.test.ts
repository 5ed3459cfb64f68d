/**
 * Recipes that name the headers they hand on: a field that reroutes and is not among them would be exempt
 * unseen.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/start-program.ts';

const FOLDER = join(ROOT, 'docs/gateways');
const SOURCE = readFileSync(join(ROOT, 'src/gateways/exemption.ts'), 'utf8');
const FIELDS = [...SOURCE.matchAll(/^ {2}'(x-[a-z-]+)',$/gm)].map(([, name = '']) => name);

/** Every list of names in the recipe that knows one of the fields, in lower case. */
function findLists(text: string): string[] {
  const blocks = text.toLowerCase().match(/\[[^\]]*\]|(?: *- \{ exact: .*\n)+/g) ?? [];
  return blocks.filter((block) => FIELDS.some((field) => block.includes(field)));
}

t.test('every list of headers that go to riskgate has all that reroute', async (t) => {
  t.ok(FIELDS.length >= 5, FIELDS.join(' '));
  let lists = 0;
  const paths = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
  for (const name of paths.filter((path) => /\.(md|yaml)$/.test(path)))
    for (const list of findLists(readFileSync(join(FOLDER, name), 'utf8'))) {
      lists += 1;
      const names = new Set(list.match(/x-[a-z-]+/g));
      t.strictSame(
        FIELDS.filter((field) => !names.has(field)),
        [],
        name,
      );
    }
  t.equal(lists, 5, 'lists were read');
});
