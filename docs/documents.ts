import { readFileSync } from 'node:fs';
import { PROVIDERS } from '../src/providers/registry.ts';
import { SINKS } from '../src/stores/decision-log/registry.ts';
import { renderDecisionIndex } from './adr-index.ts';
import { renderConfiguration } from './configuration-tables.ts';
import { renderSignals } from './signal-tables.ts';

/** The current and the generated text of a document; they are equal when it is up to date. */
export interface RenderedDocument {
  /** From the root of the repository. */
  readonly path: string;
  readonly file: URL;
  readonly text: string;
  readonly rendered: string;
}

const BLOCKS = [
  {
    path: 'docs/configuration.md',
    name: 'configuration',
    render: () => renderConfiguration({ providers: PROVIDERS, sinks: SINKS }),
  },
  { path: 'docs/policy.md', name: 'signals', render: () => renderSignals(PROVIDERS) },
  { path: 'docs/adr/README.md', name: 'decisions', render: renderDecisionIndex },
] as const;

/** Every document with a generated block. Throws when a document has lost the markers of its block. */
export function renderDocuments(): readonly RenderedDocument[] {
  return BLOCKS.map(({ path, name, render }) => {
    const file = new URL(`../${path}`, import.meta.url);
    const text = readFileSync(file, 'utf8');
    return { path, file, text, rendered: replaceBlock(text, name, render()) };
  });
}

/** The text with the content between the two markers of the block replaced. */
export function replaceBlock(text: string, name: string, content: string): string {
  const begin = `<!-- generated: ${name} (npm run docs) -->\n`;
  const end = `<!-- end of generated: ${name} -->`;
  const start = text.indexOf(begin);
  const stop = text.indexOf(end, start);
  if (start === -1 || stop === -1) throw new Error(`The markers of the block "${name}" are missing.`);
  return `${text.slice(0, start + begin.length)}\n${content}\n${text.slice(stop)}`;
}
