import { readFileSync } from 'node:fs';
import { PROVIDERS } from '../src/providers/registry.ts';
import { SINKS } from '../src/stores/decision-log/registry.ts';
import { renderDecisionIndex } from './adr-index.ts';
import { withSettingNames } from './chart-settings.ts';
import { renderCommands } from './command-reference.ts';
import { renderConfiguration } from './configuration-tables.ts';
import { renderEmulatorExports, renderEmulatorVariables } from './emulator-variables.ts';
import { renderPromotionLimits } from './promotion-tables.ts';
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
  { path: 'docs/cli.md', name: 'commands', render: renderCommands },
  { path: 'docs/policy.md', name: 'signals', render: () => renderSignals(PROVIDERS) },
  { path: 'docs/promotion.md', name: 'promotion', render: renderPromotionLimits },
  { path: 'docs/running.md', name: 'emulators', render: () => renderEmulatorExports(PROVIDERS) },
  { path: 'docker-compose.yml', name: 'emulators', render: () => renderEmulatorVariables(PROVIDERS) },
  { path: 'docs/adr/README.md', name: 'decisions', render: renderDecisionIndex },
] as const;

/** JSON has no comments for markers: it is read, and its lists are put in. */
const CHART_SCHEMA = 'deploy/helm/riskgate/values.schema.json';

/** Every file with a generated block. Throws when a document has lost the markers of its block. */
export function renderDocuments(): readonly RenderedDocument[] {
  const blocks = BLOCKS.map(({ path, name, render }) =>
    renderDocument(path, (text) => replaceBlock(text, name, render())),
  );
  const plugIns = { providers: PROVIDERS, sinks: SINKS };
  return [...blocks, renderDocument(CHART_SCHEMA, (text) => withSettingNames(text, plugIns))];
}

function renderDocument(path: string, render: (text: string) => string): RenderedDocument {
  const file = new URL(`../${path}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  return { path, file, text, rendered: render(text) };
}

/**
 * The text with the content between the two markers of the block replaced. The markers are comments of
 * Markdown, with an empty line after the first, or of YAML, whose indentation the content gets.
 */
export function replaceBlock(text: string, name: string, content: string): string {
  const lines = text.split('\n');
  const start = findMarker(lines, `generated: ${name} (npm run docs)`, 0);
  const stop = findMarker(lines, `end of generated: ${name}`, start + 1);
  if (start === -1 || stop === -1) throw new Error(`The markers of the block "${name}" are missing.`);
  const [indentation = ''] = /^ */.exec(lines[start] ?? '') ?? [];
  const gap = lines[start]?.endsWith('-->') ? [''] : [];
  const block = content.split('\n').map((line) => (line === '' ? '' : indentation + line));
  return [...lines.slice(0, start + 1), ...gap, ...block, ...lines.slice(stop)].join('\n');
}

function findMarker(lines: readonly string[], words: string, from: number): number {
  const markers = [`<!-- ${words} -->`, `# ${words}`];
  return lines.findIndex((line, index) => index >= from && markers.includes(line.trim()));
}
