import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Path below a folder to text. */
export type Sources = ReadonlyMap<string, string>;

/** One import of a file, of whatever kind: static, dynamic, of types. */
export interface Import {
  readonly from: string;
  /** A path below the folder for our own files, the package or `node:` name for others. */
  readonly to: string;
  readonly isOwn: boolean;
}

const IMPORT_PATTERNS = [
  /\bfrom\s*(['"])([^'"\n]+)\1/g,
  /\bimport\s*(['"])([^'"\n]+)\1/g,
  /\bimport\s*\(\s*(['"`])([^'"`\n]+)\1/g,
  /\brequire\s*\(\s*(['"`])([^'"`\n]+)\1/g,
];

/** Every TypeScript file below a folder of the repository. */
export function readSources(folder: string): Sources {
  const root = new URL(`../../${folder}/`, import.meta.url);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  return new Map(
    names.map((name) => [name.replaceAll('\\', '/'), readFileSync(new URL(name, root), 'utf8')]),
  );
}

/** The imports of one file. */
export function importsOf(path: string, text: string): readonly Import[] {
  return IMPORT_PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, , target = '']): Import => {
      const isOwn = target.startsWith('.');
      return { from: path, to: isOwn ? posix.join(posix.dirname(path), target) : packageOf(target), isOwn };
    }),
  );
}

/** The imports of all files. */
export function allImports(sources: Sources): readonly Import[] {
  return [...sources].flatMap(([path, text]) => importsOf(path, text));
}

function packageOf(target: string): string {
  if (target.startsWith('node:')) return target;
  return target.split('/', target.startsWith('@') ? 2 : 1).join('/');
}
