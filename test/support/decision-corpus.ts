import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { ROOT } from './start-program.ts';

/** Written by `write.ts` there, one folder for each version. */
const CORPUS = join(ROOT, 'test/fixtures/decisions');

/** The versions whose records are kept, by the commit. */
export const CORPUS_VERSIONS: readonly string[] = readdirSync(CORPUS).filter((name) =>
  existsSync(join(CORPUS, name, 'records.ndjson.zst')),
);

/** The records of a version, as JSON, and the texts of their policies by the hash. */
export function readCorpus(version: string) {
  const read = (name: string) =>
    zstdDecompressSync(readFileSync(join(CORPUS, version, name))).toString('utf8');
  return {
    lines: read('records.ndjson.zst').trimEnd().split('\n'),
    policies: JSON.parse(read('policies.json.zst')) as Readonly<Record<string, string>>,
  };
}
