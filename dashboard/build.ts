import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGE = `${ROOT}/src/dashboard/page`;
/** Chromium, Firefox and Safari of 2023 on: what can run the page's CSS and its streams. */
const TARGET = ['chrome112', 'firefox117', 'safari16.5'];

/**
 * Builds the page: the text of every asset by its file name. The same sources and packages give the same text
 * on every machine.
 */
export async function buildDashboard(): Promise<ReadonlyMap<string, string>> {
  const built = await build({
    absWorkingDir: ROOT,
    entryPoints: { app: 'src/dashboard/page/main.tsx', style: 'src/dashboard/page/style/page.css' },
    outdir: 'src/dashboard/assets',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    // What views fetch when they are first shown is no part of the first load.
    splitting: true,
    minify: true,
    format: 'esm',
    target: TARGET,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfigRaw: {},
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    write: false,
  });
  const assets = new Map(built.outputFiles.map(({ path, text }) => [basename(path), text]));
  const icon = readFileSync(`${PAGE}/icon.svg`, 'utf8');
  assets.set('icon.svg', icon);
  const names = firstLoadOf(built.metafile);
  assets.set('index.html', toIndex(readFileSync(`${PAGE}/index.html`, 'utf8'), names));
  assets.set('LICENSES.txt', toLicenses(built.metafile));
  return assets;
}

/** The files that the page needs before it shows anything. */
interface FirstLoad {
  readonly js: string;
  readonly css: string;
  /** What the script imports at once, so that the browser fetches it beside the script and not after it. */
  readonly imported: readonly string[];
}

function firstLoadOf({ outputs }: Metafile): FirstLoad {
  const entryOf = (ending: string): [string, Metafile['outputs'][string]] => {
    const [path, output] =
      Object.entries(outputs).find(
        ([name, { entryPoint }]) =>
          entryPoint !== undefined && /main\.tsx|page\.css/.test(entryPoint) && name.endsWith(ending),
      ) ?? [];
    if (path === undefined || output === undefined) throw new Error(`the page has no ${ending} file`);
    return [path, output];
  };
  const [js, { imports }] = entryOf('.js');
  const imported = imports
    .filter(({ kind }) => kind === 'import-statement')
    .map(({ path }) => basename(path));
  return { js: basename(js), css: basename(entryOf('.css')[0]), imported: imported.toSorted() };
}

/** Puts the names of scripts and style sheet into the page. */
function toIndex(template: string, { js, css, imported }: FirstLoad): string {
  const preloads = imported.map((name) => `    <link rel="modulepreload" href="dashboard/assets/${name}">\n`);
  return template
    .replace('%js%', js)
    .replace('%css%', css)
    .replace(/ *%imported%\n/, preloads.join(''));
}

/** The licenses of the packages that the script holds, which their authors want kept with them. */
function toLicenses({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap((path) => {
    const [, folder] = /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return folder === undefined ? [] : [folder];
  });
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(`${ROOT}/${folder}/package.json`, 'utf8')) as {
      name: string;
      version: string;
    };
    return `${name} ${version}\n\n${readFileSync(`${ROOT}/${folder}/LICENSE`, 'utf8').trim()}\n`;
  });
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
