import { globSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import measuredFolders from './coverage-map.ts';

interface Place {
  readonly start: { readonly line: number };
}

/** What Istanbul's `json` report says of one file. */
export interface FileCoverage {
  readonly path: string;
  readonly statementMap: Readonly<Record<string, Place>>;
  readonly s: Readonly<Record<string, number>>;
  readonly fnMap: Readonly<Record<string, { readonly name: string; readonly loc: Place }>>;
  readonly f: Readonly<Record<string, number>>;
  readonly branchMap: Readonly<Record<string, { readonly loc: Place }>>;
  readonly b: Readonly<Record<string, readonly number[]>>;
}

/** Where the last measured run of tap left its report. */
const REPORT = '.tap/report/coverage-final.json';

/**
 * Each line, function and branch of the measured folders that no test ran, as `file:line: what`, and each
 * file that no test loaded.
 */
export function findCoverageGaps(root: string): string[] {
  const report = JSON.parse(readFileSync(resolve(root, REPORT), 'utf8')) as Record<string, FileCoverage>;
  const measured = new Map(Object.values(report).map((file) => [relative(root, file.path), file]));
  const paths = globSync(measuredFolders(), { cwd: root }).filter((path) => path.endsWith('.ts'));
  if (paths.length === 0) throw new Error('the measured folders are empty');
  return paths.toSorted().flatMap((path) => {
    const file = measured.get(path);
    const source = readFileSync(resolve(root, path), 'utf8');
    if (file !== undefined) return findGapsOf(path, file, source);
    return isTypesOnly(source) ? [] : [`${path}: is loaded by no test`];
  });
}

/**
 * The gaps of one file, by line. Branches of lines with `??` or `?.` do not count: the compiler asks for a
 * default at every index, reachable or not.
 */
export function findGapsOf(path: string, file: FileCoverage, source: string): string[] {
  const sourceLines = source.split('\n');
  const lines = Object.entries(file.statementMap).filter(([id]) => file.s[id] === 0);
  const functions = Object.entries(file.fnMap).filter(([id]) => file.f[id] === 0);
  const branches = Object.entries(file.branchMap).filter(
    ([id, { loc }]) => file.b[id]?.includes(0) && !/\?[?.]/.test(sourceLines[loc.start.line - 1] ?? ''),
  );
  const gaps = [
    ...lines.map(([, { start }]) => ({ line: start.line, what: 'line' })),
    ...functions.map(([, { loc, name }]) => ({ line: loc.start.line, what: `function ${name}` })),
    ...branches.map(([, { loc }]) => ({ line: loc.start.line, what: 'branch' })),
  ];
  return gaps.toSorted((a, b) => a.line - b.line).map(({ line, what }) => `${path}:${line}: ${what}`);
}

/**
 * Nothing is left to run of a file that declares no value. Declarations begin their line: the formatter sees
 * to it.
 */
function isTypesOnly(source: string): boolean {
  return !/^(?:export )?(?:default |async |abstract )*(?:const|let|var|function|class)\b/m.test(source);
}
