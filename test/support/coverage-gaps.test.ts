import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { type FileCoverage, findCoverageGaps } from './coverage-gaps.ts';

t.test('names each line, function and branch that did not run, and no other', async (t) => {
  const root = t.testdir({ src: { domain: { 'a.ts': 'export const a = 1;\n' }, application: {} } });
  const at = (line: number) => ({ start: { line } });
  report(root, [
    {
      path: `${root}/src/domain/a.ts`,
      statementMap: { 0: at(1), 1: at(2) },
      s: { 0: 4, 1: 0 },
      fnMap: { 0: { name: 'f', loc: at(7) }, 1: { name: 'g', loc: at(1) } },
      f: { 0: 0, 1: 1 },
      branchMap: { 0: { loc: at(3) }, 1: { loc: at(4) } },
      b: { 0: [1, 0], 1: [1] },
    },
  ]);
  t.strictSame(findCoverageGaps(root), [
    'src/domain/a.ts:2: line',
    'src/domain/a.ts:3: branch',
    'src/domain/a.ts:7: function f',
  ]);
});

t.test('names a file that no test loads, unless it holds types alone', async (t) => {
  const root = t.testdir({
    src: {
      domain: { 'types.ts': '/** Types. */\nimport type { B } from "./b.ts";\nexport type A = B;\n' },
      application: { 'forgotten.ts': 'export const a = 1;\n', 'notes.md': 'a' },
    },
  });
  report(root, []);
  t.strictSame(findCoverageGaps(root), ['src/application/forgotten.ts: is loaded by no test']);
});

t.test('refuses to find nothing where there is nothing to look at', async (t) => {
  const root = t.testdir({ src: {} });
  report(root, []);
  t.throws(() => findCoverageGaps(root), /empty/);
});

function report(root: string, files: readonly FileCoverage[]): void {
  mkdirSync(`${root}/.tap/report`, { recursive: true });
  const byPath = Object.fromEntries(files.map((file) => [file.path, file]));
  writeFileSync(`${root}/.tap/report/coverage-final.json`, JSON.stringify(byPath));
}
