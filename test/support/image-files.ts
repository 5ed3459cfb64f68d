import { cpSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';

/** One COPY instruction from the build context. */
export interface Copy {
  readonly sources: readonly string[];
  readonly target: string;
}

/** What a Dockerfile says, as far as it can be carried out without an engine. */
export interface Dockerfile {
  /** Base images in order, one for each stage. */
  readonly bases: readonly string[];
  /** COPY instructions from the build context, of all stages; those between stages are left out. */
  readonly copies: readonly Copy[];
  readonly runs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | null;
  /** Exec forms. The command begins with the entry point. */
  readonly healthcheck: readonly string[];
  readonly command: readonly string[];
}

/**
 * Reads the instructions that this project's Dockerfile uses. Throws for a shell form where an exec form is
 * wanted.
 */
export function readDockerfile(path: string): Dockerfile {
  const instructions = readFileSync(path, 'utf8')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, rest };
    });
  const all = (name: string) => instructions.filter((one) => one.name === name).map(({ rest }) => rest);
  const assignments = all('ENV').flatMap((rest) => rest.split(' ').map((pair) => pair.split('=', 2)));
  return {
    bases: all('FROM').map((rest) => rest.split(' ')[0] ?? ''),
    copies: all('COPY')
      .filter((rest) => !rest.startsWith('--from='))
      .map((rest) => {
        const words = rest.split(/\s+/);
        return { sources: words.slice(0, -1), target: words.at(-1) ?? '' };
      }),
    runs: all('RUN'),
    env: Object.fromEntries(assignments) as Record<string, string>,
    user: all('USER').at(-1) ?? null,
    healthcheck: toExecForm(
      all('HEALTHCHECK')
        .at(-1)
        ?.replace(/^.*?\sCMD\s/, ''),
    ),
    command: [
      ...(all('ENTRYPOINT').length > 0 ? toExecForm(all('ENTRYPOINT').at(-1)) : []),
      ...toExecForm(all('CMD').at(-1)),
    ],
  };
}

/**
 * Copies what the instructions copy from `context` to the working directory `target`, without what
 * `ignoreFile` keeps away.
 */
export function copyImageFiles(
  context: string,
  target: string,
  copies: readonly Copy[],
  ignoreFile = '.dockerignore',
): void {
  const isIgnored = createIgnore(readFileSync(join(context, ignoreFile), 'utf8'));
  for (const { sources, target: place } of copies) {
    for (const source of sources) {
      const from = join(context, source);
      if (!existsSync(from) || isIgnored(source)) throw new Error(`COPY ${source}: not in the build context`);
      const isFile = statSync(from).isFile();
      cpSync(from, join(target, place, isFile && place.endsWith('/') ? source : ''), {
        recursive: true,
        filter: (path) => !isIgnored(relative(context, path)),
      });
    }
  }
}

/** The last pattern that matches a path or a folder above it decides, as the engine has it. */
function createIgnore(text: string): (path: string) => boolean {
  const patterns = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isException: line.startsWith('!'), pattern: line.replace(/^!/, '') }));
  return (path) => {
    let isIgnored = false;
    for (const { isException, pattern } of patterns) {
      if (matchesGlob(path, pattern) || matchesGlob(path, `${pattern}/**`)) isIgnored = !isException;
    }
    return isIgnored;
  };
}

function toExecForm(text: string | undefined): readonly string[] {
  const words: unknown = JSON.parse(text ?? 'null');
  if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  throw new Error(`not an exec form: ${text}`);
}
