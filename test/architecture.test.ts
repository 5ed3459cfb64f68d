import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import t from 'tap';
import { findLongFunctions } from './support/long-functions.ts';
import { findCycles } from './support/source-cycles.ts';
import { allImports, type Import, importsOf, readSources, type Sources } from './support/source-files.ts';
import { ROOT } from './support/start-program.ts';

/** There were some 80 files when this was written; a test that reads none must not pass. */
const FILES_MIN = 70;
const IMPORTS_MIN = 200;
const LINES_MAX = 300;

/** Rooms that hold one folder for each plug-in or store: none knows another. */
const PLUGIN_ROOMS = ['providers', 'stores', 'stores/decision-log', 'gateways'];
/** Folders in such rooms that their siblings build on; they know none of them. */
const SHARED_FOLDERS = ['providers/calls', 'stores/redis'];

/** What each layer may import beside itself: layers, or single files of them. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  main: ['app', 'config', 'providers/registry.ts', 'stores/decision-log/registry.ts', 'platform'],
  // The command: what a shell needs of each layer, loaded where a command asks for it.
  cli: [
    'main.ts',
    'app',
    'config',
    'application',
    'domain',
    'http',
    'providers/registry.ts',
    'stores/decision-log/registry.ts',
    'stores/decision-log/definition.ts',
    'emulators/demo.ts',
    'emulators/main.ts',
    'platform',
  ],
  app: [
    'config',
    'domain',
    'application',
    'providers',
    'stores',
    'gateways',
    'http',
    'dashboard',
    'observers',
    'platform',
  ],
  observers: ['application', 'domain', 'stores/evidence/closable-evidence-store.ts', 'platform'],
  http: ['application', 'domain', 'platform'],
  gateways: ['application', 'domain', 'platform'],
  dashboard: ['application', 'domain', 'platform'],
  providers: [
    'application/clock.ts',
    'application/evidence/evidence-source.ts',
    'application/evidence/evidence-store.ts',
    'application/evidence/provider-answer.ts',
    'application/observers.ts',
    'application/tracer.ts',
    'domain',
    'platform',
  ],
  stores: [
    'application/clock.ts',
    'application/activity/activity-store.ts',
    'application/callers/idempotency-store.ts',
    'application/callers/request-counter.ts',
    'application/callers/session-store.ts',
    'application/custody/custody-store.ts',
    'application/step-up/step-up-store.ts',
    'application/decision-log/decision-log.ts',
    'application/decision-log/policy-texts.ts',
    'application/lists/list-store.ts',
    'application/review/review-store.ts',
    'application/candidates/candidate-store.ts',
    'application/alerts/alert-claims.ts',
    'application/policy-in-force/policy-store.ts',
    'application/evidence/evidence-store.ts',
    'domain',
    'platform',
  ],
  application: ['domain'],
  // The demo fills a history by the service itself.
  emulators: ['app/app.ts', 'config/config.ts', 'providers', 'stores/decision-log/registry.ts', 'platform'],
  // How one environment variable is declared, the same for the service and for plug-ins; and what was read,
  // or why not.
  config: ['platform/setting.ts', 'platform/result.ts'],
  platform: [],
  domain: [],
};

/** What runs in the browser: it knows the service by its wire alone, and the service does not know it. */
const PAGE = 'dashboard/page/';
const PAGE_PACKAGES = [
  'preact',
  '@preact/signals',
  '@tanstack/virtual-core',
  'diff',
  'eventsource-parser',
  'uplot',
];

/** Layers whose packages are listed; the others choose freely. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  domain: ['zod', '@marcbachmann/cel-js'],
  application: [],
};

const SHELLS = ['main.ts', 'cli/main.ts', 'emulators/main.ts', 'emulators/demo.ts'];
const BANNED_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'types', 'shared', 'lib'];

/** The first folder of a path, or the name of a file at the root. */
function layerOf(path: string): string {
  return (path.split('/')[0] ?? '').replace(/\.tsx?$/, '');
}

/** The plug-in folders that a file lies in, outermost first: empty outside of them. */
function pluginsOf(path: string): readonly string[] {
  const folders = path.split('/').slice(0, -1);
  return folders
    .map((_, depth) => folders.slice(0, depth + 1).join('/'))
    .filter((folder) => PLUGIN_ROOMS.includes(posix.dirname(folder)));
}

/** Whether an import leaves one plug-in for another of the same room. */
function isBetweenSiblings(from: string, to: string): boolean {
  return pluginsOf(from).some((own) =>
    pluginsOf(to).some(
      (other) =>
        own !== other && posix.dirname(own) === posix.dirname(other) && !SHARED_FOLDERS.includes(other),
    ),
  );
}

function findArrowBreaches(sources: Sources): readonly string[] {
  return allImports(sources).flatMap((found) => {
    const reason = found.isOwn ? whyNot(found) : whyNoPackage(found);
    return reason === null ? [] : [`${found.from} imports ${found.to}: ${reason}`];
  });
}

/**
 * What `entry` imports at its start, itself and what those import included; an `import()` is made later, and
 * that of types never.
 */
function importedAtStart(sources: Sources, entry: string): ReadonlySet<string> {
  const reached = new Set([entry]);
  for (const path of reached) {
    const text = (sources.get(path) ?? '')
      .replaceAll(/\bimport\s*\(/g, '(')
      .replaceAll(/^import type [^;]+;$/gm, '');
    for (const { to } of importsOf(path, text).filter(({ isOwn }) => isOwn)) reached.add(to);
  }
  return reached;
}

function whyNot({ from, to }: Import): string | null {
  const layer = layerOf(from);
  const allowed = ARROWS[layer];
  if (allowed === undefined) return `${layer} has no place in the table of arrows`;
  if (to.startsWith('..')) return 'it lies outside of src';
  if (from.startsWith(PAGE) !== to.startsWith(PAGE)) return 'page and service meet on the wire only';
  if (!/\.tsx?$/.test(to)) return 'an import ends in .ts or .tsx';
  if (isBetweenSiblings(from, to)) return 'a plug-in folder never imports a sibling';
  if (layerOf(to) === layer) return null;
  const isAllowed = allowed.some((place) => place === to || place === layerOf(to));
  return isAllowed ? null : `${layer} may import ${allowed.join(', ') || 'nothing of ours'}`;
}

function whyNoPackage({ from, to }: Import): string | null {
  if (from.startsWith(PAGE))
    return PAGE_PACKAGES.includes(to) ? null : `the page may use ${PAGE_PACKAGES.join(', ')}`;
  if (PAGE_PACKAGES.includes(to)) return 'only the page uses what is built into it';
  const allowed = PACKAGES[layerOf(from)];
  if (allowed !== undefined && !allowed.includes(to))
    return `only ${allowed.join(', ') || 'no package'} is allowed`;
  if (to === 'ioredis' && !from.startsWith('stores/redis/')) return 'only stores/redis speaks to Redis';
  if (to === '@platformatic/kafka' && !from.startsWith('stores/decision-log/kafka/'))
    return 'only its sink speaks to Kafka';
  if (to === 'undici' && !from.startsWith('platform/')) return 'only platform speaks HTTP';
  if (to === 'process' || to === 'node:process') return 'process is a global, which this test can see';
  return null;
}

function findContentBreaches(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) => {
    const breaches: string[] = [];
    const code = withoutComments(text);
    const breach = (why: string) => breaches.push(`${path}: ${why}`);
    if (!SHELLS.includes(path) && /\bprocess\.(env|exit)\b|=\s*process\b(?!\.)/.test(code))
      breach('reads or ends the process');
    if (/\bimport\s*\(\s*(?!['"`])/.test(code)) breach('imports what nobody can read off');
    if (/^export\s+(\*|\{[^}]*\}|type\s*\{[^}]*\})\s*(as\s+\w+\s*)?from\b/m.test(code))
      breach('re-exports, as barrels do');
    if (path !== 'stores/redis/keys.ts' && /:(evidence|purge)[:'"`]|['"`]riskgate:/.test(code))
      breach('spells a Redis key');
    if (path.startsWith('stores/') && path !== 'stores/redis/keys.ts' && /['"`]riskgate['"`]/.test(code))
      breach('spells the prefix of keys');
    if (path.startsWith(PAGE))
      for (const word of perilsIn(code)) breach(`keeps a key, or makes text into code: ${word}`);
    if (path.startsWith('domain/')) for (const word of impuritiesIn(code)) breach(`is not pure: ${word}`);
    return breaches;
  });
}

/** Clocks, random numbers, promises and the process have no place in the domain. */
function impuritiesIn(code: string): readonly string[] {
  const pattern =
    /\b(Date\.now|new Date\b|performance|Math\.random|crypto|Promise|async|await|setTimeout|setImmediate|process|console|globalThis)\b/g;
  return [...code.matchAll(pattern)].map(([word]) => word);
}

/** Where a key or an identifier would outlive the page or leave it, and where text of others becomes markup or code. */
function perilsIn(code: string): readonly string[] {
  const pattern =
    /\b(localStorage|sessionStorage|indexedDB|document\.cookie|cookieStore|caches|BroadcastChannel|innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|eval|Function\()/g;
  return [...code.matchAll(pattern)].map(([word]) => word);
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}

function findShapeBreaches(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) => {
    const breaches: string[] = [];
    const name = posix.basename(path).replace(/\.tsx?$/, '');
    const lines = text.trimEnd().split('\n').length;
    if (lines > LINES_MAX) breaches.push(`${path}: has ${lines} lines`);
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) breaches.push(`${path}: is not named in kebab-case`);
    if (path.split('/').some((part) => BANNED_NAMES.includes(part.replace(/\.tsx?$/, ''))))
      breaches.push(`${path}: has a name that says nothing`);
    if (name === 'index' && pluginsOf(path).length === 0)
      breaches.push(`${path}: index.ts is the entry of a plug-in folder only`);
    return breaches;
  });
}

/** The folders of two levels, and the plug-ins. */
function roomsOf(paths: Iterable<string>): readonly string[] {
  const rooms = [...paths].flatMap((path) => {
    const folders = path.split('/').slice(0, -1);
    return [
      ...folders.slice(0, 2).map((_, depth) => folders.slice(0, depth + 1).join('/')),
      ...pluginsOf(path),
    ];
  });
  return [...new Set(rooms)].toSorted();
}

/** Whether the row of the room around it stands for it: a provider, a dialect or a sink. */
function isNamedByItsRegistry(room: string, paths: readonly string[]): boolean {
  return paths.includes(`${posix.dirname(room)}/registry.ts`) && !SHARED_FOLDERS.includes(room);
}

/**
 * A room is named by its path, or by its own name on the row of the room around it. A plug-in of a registry
 * need not be.
 */
function findUnnamedRooms(paths: readonly string[], page: string): readonly string[] {
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  const rooms = roomsOf(paths).filter((room) => !isNamedByItsRegistry(room, paths));
  return rooms.filter((room) => {
    const outer = `\`src/${posix.dirname(room)}/\``;
    const own = `\`${posix.basename(room)}/\``;
    return !rows.some(
      (row) => row.includes(`\`src/${room}/\``) || (row.includes(outer) && row.includes(own)),
    );
  });
}

/** Rooms that the page names and that are not there. */
function findMissingRooms(paths: Iterable<string>, page: string): readonly string[] {
  const rooms = new Set(roomsOf(paths));
  return [...page.matchAll(/`src\/([^`<]+)\/`/g)].flatMap(([, room = '']) => (rooms.has(room) ? [] : [room]));
}

interface Exported {
  readonly name: string;
  /** Where its line begins. */
  readonly offset: number;
}

function exportsOf(text: string): readonly Exported[] {
  const pattern = /^export\s+(?:async\s+)?(?:function\*?|const|let|class|interface|type)\s+(\w+)/gm;
  return [...text.matchAll(pattern)].map(({ 1: name = '', index }) => ({ name, offset: index }));
}

/**
 * `file#name` of what a file takes from others; `file#*` where it takes all of one. Files of src by their
 * paths in it.
 */
function namesTakenBy(path: string, text: string): readonly string[] {
  const patterns = [
    /\bimport\s+(?:type\s+)?(?<names>[^';]*?)\s+from\s*'(?<target>\.[^']+)'/g,
    /(?<names>\{[^{}]*\})\s*=\s*await\s+import\('(?<target>\.[^']+)'\)/g,
    /\bimport\('(?<target>\.[^']+)'\)\)\.(?<names>\w+)/g,
  ];
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap(({ groups: { names = '', target = '' } = {} }) => {
      const to = posix.join(posix.dirname(path), target).replace(/^\.\.\/src\//, '');
      return names
        .split(/[{},]/)
        .map((name) => name.trim().replace(/^type\s+/, ''))
        .map((name) => `${to}#${name.startsWith('*') ? '*' : name.split(/\s/)[0]}`);
    }),
  );
}

/** What no other file takes: neither of src nor of `others`, whose paths are relative to src. */
function findUnusedExports(sources: Sources, others: Sources): readonly string[] {
  const taken = new Set([...sources, ...others].flatMap(([path, text]) => namesTakenBy(path, text)));
  return [...sources].flatMap(([path, text]) =>
    exportsOf(text)
      .map(({ name }) => `${path}#${name}`)
      .filter((name) => !taken.has(name) && !taken.has(`${path}#*`)),
  );
}

function findUndescribedExports(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) =>
    exportsOf(text)
      .filter(({ offset }) => !text.slice(0, offset).trimEnd().endsWith('*/'))
      .map(({ name }) => `${path}#${name}`),
  );
}

const sources = readSources('src');
/** Tests and tools use what they import: a part that is tested by itself is exported for that. */
const others = new Map(
  ['test', 'bench', 'docs', 'openapi', 'dashboard'].flatMap((folder) =>
    [...readSources(folder)].map(([path, text]): [string, string] => [`../${folder}/${path}`, text]),
  ),
);

t.test('looks at the files', async (t) => {
  t.ok(sources.size >= FILES_MIN, `${sources.size} files`);
  const imports = allImports(sources);
  t.ok(imports.length >= IMPORTS_MIN, `${imports.length} imports`);
  for (const layer of [
    'main',
    'cli',
    'app',
    'config',
    'domain',
    'application',
    'providers',
    'stores',
    'http',
    'dashboard',
    'platform',
    'emulators',
  ]) {
    t.ok(
      [...sources.keys()].some((path) => layerOf(path) === layer),
      `${layer} is there`,
    );
  }
  for (const { to } of imports.filter(({ isOwn }) => isOwn)) t.ok(sources.has(to), `${to} exists`);
});

t.test('finds every import that a parser finds', async (t) => {
  for (const [path, text] of sources) {
    const statements = text.match(/^(?:import|export)\b[^;]*?\bfrom\s*'[^']+';$|^import '[^']+';$/gm) ?? [];
    t.ok(importsOf(path, text).length >= statements.length, path);
  }
});

t.test('imports along the arrows only', async (t) => {
  t.strictSame(findArrowBreaches(sources), []);
});

t.test('has no function over 60 lines', async (t) => {
  t.strictSame(await findLongFunctions(ROOT), []);
});

t.test('has no cycle of imports, those of types included', async (t) => {
  for (const folder of ['src', 'bench', 'openapi', 'docs', 'dashboard', 'test']) {
    const files = folder === 'src' ? sources : readSources(folder);
    t.ok(files.size > 0, folder);
    t.strictSame(findCycles(files), [], folder);
  }
});

t.test('has every room on the page about the architecture, and no other', async (t) => {
  const page = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8');
  t.ok(roomsOf(sources.keys()).length > 30);
  t.strictSame(findUnnamedRooms([...sources.keys()], page), []);
  t.strictSame(findMissingRooms(sources.keys(), page), []);
});

t.test('starts without the emulators, which its image lacks', async (t) => {
  const started = [...importedAtStart(sources, 'main.ts')];
  t.ok(started.includes('providers/stytch/index.ts'), 'it follows imports');
  t.strictSame(
    started.filter((path) => path.includes('emulat')),
    [],
  );
});

t.test('gives help without loading what commands need', async (t) => {
  const started = [...importedAtStart(sources, 'cli/main.ts')];
  t.ok(started.includes('cli/commands/serve.ts'), 'it follows imports');
  t.strictSame(
    started.filter((path) => !path.startsWith('cli/')),
    [],
  );
});

t.test('keeps the process, Redis keys and impurity where they belong', async (t) => {
  t.strictSame(findContentBreaches(sources), []);
});

t.test('keeps files small and their names telling', async (t) => {
  t.strictSame(findShapeBreaches(sources), []);
});

t.test('exports only what another file uses', async (t) => {
  t.ok([...sources.values()].flatMap(exportsOf).length > 500, 'there are exports');
  t.strictSame(findUnusedExports(sources, others), []);
});

t.test('describes what it exports', async (t) => {
  t.strictSame(findUndescribedExports(sources), []);
});

t.test('finds exports that are unused or not described, and no other', async (t) => {
  const planted = new Map([
    [
      'platform/a.ts',
      '/** Used. */\nexport const used = 1;\nexport type Lonely = 1;\n/** Used late. */\nexport async function late() {}\n/** Taken. */\nexport class Taken {}\n',
    ],
    ['app/b.ts', "import {\n  type X,\n  used as mine,\n} from '../platform/a.ts';"],
    ['app/c.ts', "const run = async () => (await import('../platform/a.ts')).late();"],
  ]);
  const tests = new Map([['../test/a.test.ts', "const { Taken } = await import('../src/platform/a.ts');"]]);
  const named = (name: string) => `platform/a.ts#${name}`;
  t.strictSame(findUnusedExports(planted, tests), [named('Lonely')]);
  const whole = new Map([['../test/a.test.ts', "import * as all from '../src/platform/a.ts';"]]);
  t.strictSame(findUnusedExports(planted, whole), []);
  t.strictSame(findUndescribedExports(planted), [named('Lonely')]);
});

/** Planted files, each of which breaks one rule. */
const PLANTED: readonly (readonly [string, string])[] = [
  ['domain/verdict2.ts', "import { v7 } from 'some-package';"],
  ['domain/verdict2.ts', "import { hash } from 'node:crypto';"],
  ['domain/policy/x.ts', "import type { Clock } from '../../application/clock.ts';"],
  ['domain/x.ts', 'export const now = () => Date.now();'],
  ['domain/x.ts', 'export async function f() {}'],
  ['application/x.ts', "import { createServer } from '../http/server.ts';"],
  ['application/x.ts', "import { z } from 'zod';"],
  ['application/x.ts', "const late = await import('../stores/evidence/memory-store.ts');"],
  ['application/x.ts', 'export * from "../platform/clock.ts";'],
  ['platform/x.ts', "import type { Verdict } from '../domain/verdict.ts';"],
  ['config/config.ts', "import { PROVIDERS } from '../providers/registry.ts';"],
  ['config/config.ts', "import { SINKS } from '../stores/decision-log/registry.ts';"],
  ['config/config.ts', "import { systemClock } from '../platform/clock.ts';"],
  ['stores/decision-log/file/index.ts', "import { integer } from '../../../config/service-settings.ts';"],
  ['http/x.ts', "import { stytch } from '../providers/stytch/index.ts';"],
  ['http/x.ts', "import { loadConfig } from '../config/config.ts';"],
  ['providers/x.ts', "import { createDecide } from '../application/decide.ts';"],
  ['providers/stytch/x.ts', "import { mobilerun } from '../mobilerun/index.ts';"],
  ['stores/custody/x.ts', "import { decodeEvidence } from '../evidence/evidence-codec.ts';"],
  ['stores/redis/x.ts', "import { decodeEvidence } from '../evidence/evidence-codec.ts';"],
  ['stores/decision-log/memory/x.ts', "import { encode } from '../redis/decision-scripts.ts';"],
  ['providers/calls/x.ts', "import { stytch } from '../stytch/index.ts';"],
  ['stores/x.ts', "import { PROVIDERS } from '../providers/registry.ts';"],
  ['emulators/x.ts', "import { registerRoutes } from '../app/routes.ts';"],
  ['app/app.ts', "import '../emulators/server.ts';"],
  ['main.ts', "import { stytch } from './providers/stytch/index.ts';"],
  ['cli/commands/x.ts', "const { stytch } = await import('../../providers/stytch/index.ts');"],
  [
    'cli/commands/x.ts',
    "import { HistoryReader } from '../../stores/decision-log/sqlite/history-reader.ts';",
  ],
  ['cli/commands/x.ts', 'const key = process.env.KEY;'],
  ['app/x.ts', "import { runCli } from '../cli/program.ts';"],
  ['newcomer/x.ts', "import { z } from '../domain/verdict.ts';"],
  ['http/x.ts', "import { Redis } from 'ioredis';"],
  ['stores/decision-log/file/x.ts', "import { Producer } from '@platformatic/kafka';"],
  ['http/x.ts', "import pack from '../../package.json';"],
  ['http/x.ts', "import { env } from 'node:process';"],
  ['http/x.ts', 'const port = process.env.PORT;'],
  ['http/x.ts', 'const { env } = process;'],
  ['platform/x.ts', 'process.exit(1);'],
  ['providers/x.ts', 'const module = await import(name);'],
  ['http/x.ts', "export { a } from './b.ts';"],
  ['http/x.ts', "export type { A } from './b.ts';"],
  ['stores/redis/x.ts', "const key = prefix + ':v1:evidence:';"],
  ['http/x.ts', "const key = 'riskgate:v1:x';"],
  ['stores/x.ts', "const PREFIX = 'riskgate';"],
  ['dashboard/page/x.tsx', "import { VERDICTS } from '../../domain/verdict.ts';"],
  ['dashboard/page/x.tsx', "import { loadAssets } from '../assets.ts';"],
  ['dashboard/page/x.tsx', "import { memo } from 'lodash';"],
  ['dashboard/page/x.tsx', "localStorage.setItem('key', key);"],
  ['dashboard/page/x.tsx', '<p dangerouslySetInnerHTML={{ __html: text }} />'],
  ['dashboard/page/Row.tsx', ''],
  ['dashboard/routes.ts', "import { VERDICTS } from './page/wire.ts';"],
  ['dashboard/routes.ts', "import { h } from 'preact';"],
  ['dashboard/routes.ts', "import { createServer } from '../http/server.ts';"],
  ['http/utils.ts', ''],
  ['http/helpers/x.ts', ''],
  ['domain/types.ts', ''],
  ['http/index.ts', ''],
  ['http/CamelCase.ts', ''],
  ['http/x.ts', `${'\n'.repeat(LINES_MAX)}x`],
];

t.test('finds breaches that are planted', async (t) => {
  for (const [path, text] of PLANTED) {
    const planted = new Map([[path, text]]);
    const found = [findArrowBreaches, findContentBreaches, findShapeBreaches].flatMap((find) =>
      find(planted),
    );
    t.ok(found.length > 0, `${path}: ${text.trim().slice(0, 60)}`);
  }
});

t.test(
  'finds a function that is planted and too long, in a component too, and none that just fits',
  async (t) => {
    // The linter looks at nothing that Git ignores, as the fixtures of tap are.
    const directory = mkdtempSync(join(tmpdir(), 'riskgate-long-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    mkdirSync(join(directory, 'src/page'), { recursive: true });
    copyFileSync(`${ROOT}/.oxlintrc.json`, join(directory, '.oxlintrc.json'));
    const lines = (count: number) => '  work();\n'.repeat(count);
    writeFileSync(join(directory, 'src/fits.ts'), `export function fits() {\n${lines(58)}}\n`);
    writeFileSync(join(directory, 'src/long.ts'), `export const long = () => {\n${lines(59)}};\n`);
    writeFileSync(join(directory, 'src/page/long.tsx'), `export function Long() {\n${lines(59)}}\n`);
    const found = await findLongFunctions(directory);
    t.strictSame(found.map((line) => line.split(':', 1).join()).toSorted(), [
      'src/long.ts',
      'src/page/long.tsx',
    ]);
  },
);

t.test('finds a cycle that is planted, through a type and through three files', async (t) => {
  const planted = new Map([
    ['a/one.ts', "import { two } from './two.ts';"],
    ['a/two.ts', "import type { Three } from '../b/three.ts';"],
    ['b/three.ts', "const { one } = await import('../a/one.ts');"],
    ['b/four.ts', "import { one } from '../a/one.ts';"],
    ['b/self.ts', "import type { Self } from './self.ts';"],
  ]);
  t.strictSame(findCycles(planted), ['a/one.ts → a/two.ts → b/three.ts → a/one.ts', 'b/self.ts → b/self.ts']);
});

t.test('finds a room that is planted, and one that is only on the page', async (t) => {
  const page = '| `src/http/` | the server |\n| `src/stores/x/` | `one/` |\n\n`src/gateways/` in a sentence';
  const rooms = ['http/a.ts', 'http/callers/a.ts', 'stores/x/one/a.ts', 'gateways/nginx/a.ts'];
  t.strictSame(findUnnamedRooms(rooms, page), ['gateways', 'gateways/nginx', 'http/callers', 'stores']);
  const registered = ['gateways/registry.ts', 'providers/registry.ts', 'providers/calls/a.ts'];
  t.strictSame(findUnnamedRooms([...rooms, ...registered], page), [
    'gateways',
    'http/callers',
    'providers',
    'providers/calls',
    'stores',
  ]);
  t.strictSame(findMissingRooms(['http/a.ts'], page), ['stores/x', 'gateways']);
});

t.test('takes nothing harmless for a breach', async (t) => {
  const harmless = new Map([
    ['providers/registry.ts', "import { stytch } from './stytch/index.ts';"],
    ['providers/stytch/index.ts', "import { answer } from '../answer.ts';\n// process.env is read elsewhere"],
    ['providers/stytch/x.ts', "import { tracing } from '../calls/tracing.ts';"],
    ['stores/custody/redis-store.ts', "import type { RedisHandle } from '../redis/handle.ts';"],
    [
      'stores/redis/x.ts',
      "import type { Clock } from '../../application/clock.ts';\nimport { Redis } from 'ioredis';",
    ],
    ['main.ts', "import { loadConfig } from './config/config.ts';\nprocess.exit(1);"],
    ['dashboard/page/x.tsx', "import { useRef } from 'preact/hooks';\nimport { go } from './view-state.ts';"],
    ['domain/x.ts', "import { z } from 'zod';\n/** A promise is not kept here. */"],
  ]);
  const found = [findArrowBreaches, findContentBreaches, findShapeBreaches].flatMap((find) => find(harmless));
  t.strictSame(found, []);
});
