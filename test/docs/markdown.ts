import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** A fenced block: its info string, and its text without the fences. */
export interface Fence {
  readonly info: string;
  readonly text: string;
}

/** The text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Every Markdown file of the repository, from its root. */
export function findMarkdown(): readonly string[] {
  const isOurs = (path: string) => !/(?:^|\/)(?:node_modules|\.[^/]+)\//.test(path);
  return readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.md') && isOurs(path),
  );
}

/** The fenced blocks of a Markdown text with this info string. */
export function fencesOf(markdown: string, info: string): readonly Fence[] {
  const fences = [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  return fences
    .map(([, kind = '', text = '']) => ({ info: kind, text }))
    .filter((fence) => fence.info === info);
}

/**
 * The cells of every table row whose first cell begins with inline code or a word; header and rule lines
 * among them.
 */
export function tableRows(markdown: string): readonly (readonly string[])[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** The part of a Markdown text below a heading, down to the next one of its level. */
export function sectionOf(markdown: string, heading: string): string {
  const [, level = ''] = /^(#+) /.exec(heading) ?? [];
  const start = markdown.indexOf(`${heading}\n`);
  if (start === -1) throw new Error(`There is no heading "${heading}".`);
  const rest = markdown.slice(start + heading.length);
  const end = rest.search(new RegExp(`^${level} `, 'm'));
  return end === -1 ? rest : rest.slice(0, end);
}

/** The text of a cell that is one piece of inline code, or null. */
export function codeIn(cell: string | undefined): string | null {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1] ?? null;
}

/** The anchors that GitHub gives the headings of a text. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = [...markdown.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)];
  return new Set(
    headings.map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );
}
