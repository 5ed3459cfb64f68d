import { spawnSync } from 'node:child_process';
import t from 'tap';
import { z } from 'zod';
import { renderConfiguration, variableNames } from '../../docs/configuration-tables.ts';
import { renderDocuments, replaceBlock } from '../../docs/documents.ts';
import { allSignals, renderSignals } from '../../docs/signal-tables.ts';
import { compilePolicy } from '../../src/domain/policy/compile.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { PLUG_INS } from '../support/plug-ins.ts';
import { ROOT } from './markdown.ts';

const signals = allSignals(PROVIDERS)
  .flatMap((table) => table.signals)
  .flatMap(({ name, ...signal }) => namesOf(name, signal.meaning).map((each) => ({ name: each, ...signal })));

/** The names that one row of activity stands for. */
function namesOf(row: string, meaning: string): readonly string[] {
  const some = [...meaning.matchAll(/`(account|device|ip|visitor)`/g)].map(([, part = '']) => part);
  const parts = some.length > 0 ? some : ['account', 'device', 'ip', 'visitor'];
  const named = row.includes('<part>') ? parts.map((part) => row.replace('<part>', part)) : [row];
  return named.flatMap((name) =>
    name.includes('<window>')
      ? ['1m', '10m', '1h', '24h', '7d', '30d'].map((window) => name.replace('<window>', window))
      : [name],
  );
}

/** Whether a condition compiles against the registry. */
function compiles(when: string): boolean {
  const rule = { id: 'r', when, verdict: 'BLOCK', reason: 'R' };
  return compilePolicy(
    { policy: 'p', otherwise: 'ALLOW', rules: [rule] },
    { providers: PROVIDERS, hash: '', compilePattern: compileLinearPattern },
  ).ok;
}

t.test('the generated blocks are what the schemas describe', async (t) => {
  const documents = renderDocuments();
  t.same(
    documents.map(({ path }) => path),
    [
      'docs/configuration.md',
      'docs/cli.md',
      'docs/policy.md',
      'docs/promotion.md',
      'docs/running.md',
      'docker-compose.yml',
      'docs/adr/README.md',
      'deploy/helm/riskgate/values.schema.json',
    ],
  );
  for (const { path, text, rendered } of documents) t.ok(text === rendered, `${path}: run \`npm run docs\``);
});

t.test('the check says nothing and succeeds while they are', async (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['docs/generate.ts', '--check'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  t.same({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
});

t.test('a block is replaced between its markers alone', async (t) => {
  const text = 'a\n<!-- generated: x (npm run docs) -->\nold\n<!-- end of generated: x -->\nb\n';
  const expected = 'a\n<!-- generated: x (npm run docs) -->\n\nnew\n<!-- end of generated: x -->\nb\n';
  t.equal(replaceBlock(text, 'x', 'new'), expected);
  t.equal(replaceBlock(expected, 'x', 'new'), expected);
  t.throws(() => replaceBlock(text, 'y', 'new'), /"y"/);
  t.throws(() => replaceBlock(text.replace('end of', 'END'), 'x', 'new'), /"x"/);
});

t.test('a block of YAML has the indentation of its markers', async (t) => {
  const text = 'a:\n  # generated: x (npm run docs)\n  # end of generated: x\n';
  const expected = 'a:\n  # generated: x (npm run docs)\n  b: 1\n  c: 2\n  # end of generated: x\n';
  t.equal(replaceBlock(text, 'x', 'b: 1\nc: 2'), expected);
  t.equal(replaceBlock(expected, 'x', 'b: 1\nc: 2'), expected);
});

t.test('every signal has a description', async (t) => {
  t.ok(signals.length > 100, `${signals.length} signals`);
  for (const { name, meaning } of signals) t.match(meaning, /^\S.*\.$/s, name);
});

t.test('every signal has the type that policies are checked against', async (t) => {
  const literals: Readonly<Record<string, string>> = {
    bool: 'true',
    int: '1',
    double: '1.0',
    // A text that is no address would be refused beside `request.ip`.
    string: '"::1"',
    'list<string>': '["x"]',
  };
  for (const { name, type } of signals) {
    if (type === 'object') {
      t.ok(compiles(`has(${name})`), name);
      continue;
    }
    for (const [other, literal] of Object.entries(literals)) {
      t.equal(compiles(`${name} == ${literal}`), other === type, `${name} as ${other}`);
    }
  }
});

t.test('a signal is called always present only where the schema requires it', async (t) => {
  const source = {
    id: 'x',
    title: 'X',
    ttlSeconds: { ok: 1 },
    signals: z.object({
      found: z.boolean().describe('F.'),
      part: z
        .object({ inner: z.int().describe('I.'), odd: z.number().optional().describe('O.') })
        .optional()
        .describe('P.'),
      tags: z.array(z.string()).optional().describe('T.'),
    }),
  };
  const rows = allSignals([source]).flatMap((table) => (table.variable === 'x' ? table.signals : []));
  t.same(
    rows.map(({ name, type, presence }) => [name, type, presence]),
    [
      ['x.found', 'bool', 'always'],
      ['x.part', 'object', 'optional'],
      ['x.part.inner', 'int', 'with `part`'],
      ['x.part.odd', 'double', 'optional'],
      ['x.tags', 'list<string>', 'optional'],
    ],
  );
  t.match(renderSignals([source]), '`providers.x.outcome` | `string` | service | always |');
});

t.test('every environment variable of the schema is in the tables, with its bounds', async (t) => {
  const text = renderConfiguration(PLUG_INS);
  const names = variableNames(PLUG_INS);
  t.ok(names.length > 25, `${names.length} variables`);
  t.equal(new Set(names).size, names.length);
  for (const name of names) t.equal(text.split(`| \`${name}\` |`).length, 2, name);
  t.match(text, /`DECISION_DEADLINE_MS` \| `1000` \| no \| .* \| 50 to 10000 \|/);
  t.match(text, /`CACHE_LOCAL_TTL_SECONDS` .* \| 0 to 3600 \|/);
  t.match(text, /`STYTCH_LOOKUP_METHOD` .* \| `post`, `get` \|/);
  t.match(text, /`API_KEYS_FILE` \| {2}\| yes \|/);
  t.match(text, /`PREFACTOR_BASE_URL` \| {2}\| when `prefactor` is enabled \|/);
  t.match(text, /`REDIS_URL` \| {2}\| no \|/);
});
