import { hash as digest } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { variableNames } from '../../docs/configuration-tables.ts';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { createDecisionSchema } from '../../src/http/schemas/decide.ts';
import { decideExamples } from '../../src/http/schemas/examples.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import type { DecisionBody } from '../support/answer.ts';
import { PLUG_INS } from '../support/plug-ins.ts';
import { createTestApp } from '../support/test-app.ts';
import { anchorsOf, fencesOf, findMarkdown, ROOT, readText } from './markdown.ts';

const readme = readText('README.md');
/** The pages for people who use or run the service. */
const PAGES = ['api', 'running', 'configuration', 'redis', 'decision-log', 'dashboard', 'observability'];
const manual = [readme, ...PAGES.map((name) => readText(`docs/${name}.md`))];
const shell = [...manual, readText('CONTRIBUTING.md')]
  .flatMap((text) => fencesOf(text, 'sh'))
  .map(({ text }) => text);
const README_BYTES_MAX = 10_240;
/** What the shell makes of the text between the quotes of `-d`, at this time. */
function inShell(body: string, unixSeconds: number): string {
  return body.replaceAll("'$(date +%s)'", String(unixSeconds));
}

const manifest = JSON.parse(readText('package.json')) as Record<
  'scripts' | 'dependencies',
  Record<string, string>
>;

t.test('every npm command exists', async (t) => {
  const inline = manual.flatMap((text) => text.match(/`npm [^`\n]+`/g) ?? []).join('\n');
  const found = [...`${shell.join('\n')}\n${inline}`.matchAll(/\bnpm (?:run )?([a-z]+)/g)];
  const commands = found.map(([, name = '']) => name);
  t.ok(commands.length > 10);
  const known = new Set([...Object.keys(manifest.scripts), 'ci']);
  for (const name of new Set(commands)) t.ok(known.has(name), `npm … ${name}`);
  for (const name of ['start', 'demo', 'test', 'emulators']) t.ok(commands.includes(name), name);
});

t.test('answers that are printed name the default policy as it is', async (t) => {
  const hash = `sha256:${digest('sha256', readText('policies/default.yaml'))}`;
  const printed = manual.flatMap((text) => text.match(/"hash": "sha256:[0-9a-f]{64}"/g) ?? []);
  t.ok(printed.length > 1);
  for (const each of printed) t.equal(each, `"hash": "${hash}"`);
});

t.test('every file that a command runs exists', async (t) => {
  const files = [...shell.join('\n').matchAll(/\bnode ([\w./-]+\.ts)/g)].map(([, path = '']) => path);
  t.ok(files.length > 0);
  for (const path of files) t.ok(existsSync(join(ROOT, path)), path);
});

t.test('every relative link leads to a file, and to a heading of it', async (t) => {
  let links = 0;
  for (const path of findMarkdown()) {
    for (const [, target = ''] of withoutCode(readText(path)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links += 1;
      const [file = '', anchor] = target.split('#');
      const linked = file === '' ? path : join(dirname(path), file);
      t.ok(existsSync(join(ROOT, linked)), `${path}: ${target}`);
      if (anchor !== undefined) t.ok(anchorsOf(readText(linked)).has(anchor), `${path}: ${target}`);
    }
  }
  t.ok(links > 20, `${links} links`);
});

t.test('every environment variable that the manual names is one', async (t) => {
  const known = new Set(variableNames(PLUG_INS));
  const names = readdirSync(join(ROOT, 'policies'), { encoding: 'utf8', recursive: true });
  const files = names.filter((name) => name.endsWith('.yaml'));
  const policies = files.map((name) => readText(`policies/${name}`));
  const reasons = new Set(policies.join('\n').match(/\b[A-Z]+(?:_[A-Z]+)+\b/g));
  // The shell variable of the example, which the service does not read, and what the OpenTelemetry libraries do.
  const others = new Set([
    'API_KEY',
    'OTEL_EXPORTER_OTLP_HEADERS',
    'OTEL_SERVICE_NAME',
    'OTEL_RESOURCE_ATTRIBUTES',
    'MALLOC_ARENA_MAX',
    'NODE_COMPILE_CACHE',
    'NODE_EXTRA_CA_CERTS',
    'NODE_OPTIONS',
  ]);
  const named = new Set(manual.join('\n').match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g));
  t.ok(named.size > 25);
  for (const name of named) t.ok(known.has(name) || reasons.has(name) || others.has(name), name);
});

t.test('the environment for the emulators is theirs', async (t) => {
  const block = shell.find((text) => text.includes('STYTCH_BASE_URL='));
  const set = Object.fromEntries(
    [...(block ?? '').matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  );
  t.match(set, emulatorEnvironment(PROVIDERS, 'http://127.0.0.1:8081'));
});

t.test('every error code is in the table', async (t) => {
  const api = readText('docs/api.md');
  for (const code of ERROR_CODES)
    t.ok(api.includes(`| \`${code}\``) || api.includes(`, \`${code}\` |`), code);
});

t.test('the decision is one, wherever it is shown', async (t) => {
  const known = PROVIDERS.map(({ id }) => id);
  for (const page of [readme, readText('docs/api.md')]) {
    const [fence] = fencesOf(page, 'json');
    const decision = JSON.parse(fence?.text ?? '') as DecisionBody;
    const shown = Object.keys(decision.providers);
    t.ok(shown.length > 0 && shown.every((id) => known.includes(id)), shown.join());
    t.same(createDecisionSchema(shown).strict().safeParse(decision).error, undefined);
  }
});

t.test('each request for a decision is answered as it says', async (t) => {
  const app = await createTestApp(t);
  const asked = [...shell.join('\n').matchAll(/^# (ALLOW|CHALLENGE|BLOCK)\ncurl [^#]*?-d '(.+)'$/gm)];
  t.same(
    asked.map(([, verdict]) => verdict),
    ['BLOCK', 'ALLOW', 'CHALLENGE', 'BLOCK'],
  );
  for (const [, verdict, body = ''] of [...asked, ...asked.toReversed()]) {
    const { status, json } = await app.decide(inShell(body, 1_800_000_000));
    t.equal(status, 200);
    t.equal(json.decision, verdict, body);
  }
});

t.test('no example is a replay of another, in whichever order they are tried', async (t) => {
  // Examples of other routes have no verdict.
  const quoted = [...shell.join('\n').matchAll(/-d '(\{.+\})'/g)]
    .map(([, body = '']) => body)
    .filter((body) => !/"(?:label|method|subject|items)"/.test(body));
  t.ok(quoted.length >= 4);
  const bodies = [...quoted, ...decideExamples.map((example) => JSON.stringify(example))];
  for (const order of [bodies, bodies.toReversed()]) {
    const app = await createTestApp(t);
    for (const body of [...order, ...order]) {
      const { status, json } = await app.decide(inShell(body, 1_800_000_000));
      t.equal(status, 200);
      t.notOk(
        json.reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED'),
        body,
      );
    }
  }
});

t.test('the login back end takes any failure for a CHALLENGE', async (t) => {
  const [example] = fencesOf(readText('docs/api.md'), 'js');
  const source = `${example?.text}\nexport { decide };`;
  const { decide } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    decide: (subject: object) => Promise<string>;
  };
  const { fetch } = globalThis;
  t.teardown(() => {
    globalThis.fetch = fetch;
  });
  const answers: readonly (readonly [string, () => Promise<Response>])[] = [
    ['ALLOW', async () => Response.json({ decision: 'ALLOW' })],
    ['BLOCK', async () => Response.json({ decision: 'BLOCK' })],
    ['CHALLENGE', async () => Response.json({ decision: 'CHALLENGE' })],
    ['CHALLENGE', async () => Response.json({ decision: 'PERMIT' })],
    ['CHALLENGE', async () => Response.json({ decision: 'ALLOW' }, { status: 503 })],
    ['CHALLENGE', async () => Response.json({ decision: 'ALLOW' }, { status: 201 })],
    ['CHALLENGE', async () => Response.json(null)],
    ['CHALLENGE', async () => Response.json({})],
    ['CHALLENGE', async () => new Response('<html>')],
    ['CHALLENGE', () => Promise.reject(new TypeError('fetch failed'))],
  ];
  for (const [verdict, answer] of answers) {
    globalThis.fetch = answer;
    t.equal(await decide({ telemetry_id: 'allow' }), verdict);
  }
});

t.test('every run-time dependency has its line in the ADR', async (t) => {
  const page = readText('docs/adr/0002-run-time-dependencies.md');
  const names = Object.keys(manifest.dependencies);
  t.ok(names.length > 10);
  for (const name of names) t.ok(page.includes(`\`${name}\``), name);
});

t.test('every log event is among the failure modes', async (t) => {
  const page = readText('docs/failure-modes.md');
  const sources = [
    'src/main.ts',
    'src/app/app.ts',
    'src/app/followed-files.ts',
    'src/observers/log-observer.ts',
    'src/app/overload.ts',
    'src/http/callers/traffic-log.ts',
    'src/http/plugins/problem-details.ts',
  ]
    .map(readText)
    .join('\n');
  const events = [...sources.matchAll(/event(?:: '|":")([a-z_]+\.[a-z_]+)/g)].map(([, event = '']) => event);
  const redis = [...readText('src/stores/redis/handle.ts').matchAll(/readonly kind: '(\w+)'/g)];
  t.ok(events.length >= 7 && redis.length >= 7);
  for (const event of [...events, ...redis.map(([, kind]) => `redis.${kind}`)]) {
    t.ok(page.includes(`\`${event}\``), event);
  }
});

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
}

t.test('the README is one page', async (t) => {
  t.ok(Buffer.byteLength(readme) <= README_BYTES_MAX, `${Buffer.byteLength(readme)} bytes`);
});
