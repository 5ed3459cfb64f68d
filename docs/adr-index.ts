import { readdirSync, readFileSync } from 'node:fs';
import { toTable } from './markdown-table.ts';

const FOLDER = new URL('adr/', import.meta.url);

/** One architecture decision record: its file, and the number and title of its heading. */
export interface DecisionPage {
  readonly file: string;
  readonly number: string;
  readonly title: string;
  readonly text: string;
}

/**
 * Every record, by number. Throws for a file whose heading is not `# NNNN: Title` with the number of its
 * name.
 */
export function readDecisionPages(): readonly DecisionPage[] {
  const files = readdirSync(FOLDER).filter((name) => /^\d{4}-.*\.md$/.test(name));
  return files.toSorted().map((file) => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    const [, number = '', title = ''] = /^# (\d{4}): (.+)$/m.exec(text.split('\n', 1)[0] ?? '') ?? [];
    if (number !== file.slice(0, 4)) throw new Error(`${file} does not begin with "# ${file.slice(0, 4)}: "`);
    return { file, number, title, text };
  });
}

/** The table of all records. */
export function renderDecisionIndex(): string {
  const rows = readDecisionPages().map(({ file, number, title }) => [number, `[${title}](${file})`]);
  return toTable(['Number', 'Decision'], rows);
}
