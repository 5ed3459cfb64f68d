import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';

const ROOT = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/threat-model.md', ROOT), 'utf8');
/** Cells of the table's rows: threat, what we do, proof, what remains. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| threat'))
  .map((line) => line.split('|').slice(1, -1));

t.test('has a row for each threat, with what is done, what proves it, and what remains', async (t) => {
  t.ok(rows.length >= 15);
  for (const row of rows) {
    const [threat = ''] = row;
    t.equal(row.length, 4, threat);
    for (const cell of row.slice(0, 3)) t.match(cell, /\S/, threat);
  }
});

t.test('names tests that exist', async (t) => {
  for (const [threat = '', , proof = ''] of rows) {
    const names = [...proof.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
    t.ok(names.length > 0, threat);
    for (const name of names) t.ok(existsSync(new URL(`test/${name}.test.ts`, ROOT)), name);
  }
});

t.test('is one page', async (t) => {
  t.ok(page.split('\n').length <= 60);
  t.ok(page.split(/\s+/).length <= 1_200, 'in words too');
});
