import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { checkTlsFiles } from '../../src/app/redis-target.ts';
import { createRedisConnection } from '../../src/stores/redis/create-connection.ts';
import type { RedisTarget } from '../../src/stores/redis/target.ts';
import { startFaultLoad } from '../support/redis-fault-load.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { toRedisTarget } from '../support/redis-target.ts';
import { findFreePort, ROOT } from '../support/start-program.ts';
import { createDirectory, createTestApp, startEmulators, until } from '../support/test-app.ts';
import { createTlsFiles } from '../support/tls-files.ts';

const PREFIX = 'risk-eu:1';
/** The rights that docs/redis.md grants, and nothing more. */
const [, granted = ''] =
  /^user riskgate .*? -@all (.*)$/m.exec(readFileSync(join(ROOT, 'docs/redis.md'), 'utf8')) ?? [];
const RIGHTS = [`~${PREFIX}:*`, `&${PREFIX}:*`, '-@all', ...granted.split(' ')];

const directory = createDirectory(t);
const [files, strange] = [createTlsFiles(directory, 'redis'), createTlsFiles(directory, 'strange')];
const tlsPort = await findFreePort();
const redis = await startRedisServer(t, {
  args: () => [
    '--tls-port',
    String(tlsPort),
    '--tls-auth-clients',
    'yes',
    '--tls-ca-cert-file',
    files.ca,
    '--tls-cert-file',
    files.cert,
    '--tls-key-file',
    files.key,
    '--user',
    'service',
    'on',
    '>p@ss/word',
    ...RIGHTS,
  ],
});
const url = `rediss://service:${encodeURIComponent('p@ss/word')}@127.0.0.1:${tlsPort}/2`;
const TLS = {
  REDIS_URL: url,
  REDIS_KEY_PREFIX: PREFIX,
  REDIS_TLS_CA_FILE: files.ca,
  REDIS_TLS_CERT_FILE: files.cert,
  REDIS_TLS_KEY_FILE: files.key,
};

t.test('uses TLS, an ACL user with no more rights than are documented, and a key prefix', async (t) => {
  const load = await startFaultLoad(t, TLS);
  await until('nothing is wrong', async () => (await load.ready()).redis_problem === null);
  await load.run(t, {
    name: 'TLS: killed',
    begin: () => redis.stop(),
    end: () => redis.start(),
    forgets: 'in the end',
    lastsMs: 1_500,
  });
  const keys = (await redis.command(['EVAL', "redis.call('SELECT', 2) return redis.call('KEYS', '*')", '0']))
    .split('\r\n')
    .filter((line) => /^[a-z]/.test(line));
  t.ok(keys.length > 10, 'keys were written');
  t.same(
    keys.filter((key) => !key.startsWith(`${PREFIX}:v1:`) && !key.startsWith(`${PREFIX}:v2:custody`)),
    [],
  );
  const log = await redis.command('ACL LOG');
  t.equal(log, '*0', 'no right was missed');
  const program = await load.service.until(/redis\.up/);
  t.notMatch(program.input, /p@ss|command_refused|misconfigured/);
});

const emulators = await startEmulators(t);

/** What is wrong with TLS, and the code that names it. */
const WRONG: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['another authority', { ...TLS, REDIS_TLS_CA_FILE: strange.ca }, /SELF_SIGNED|UNABLE_TO_VERIFY|CERT/],
  ['another name', { ...TLS, REDIS_TLS_SERVER_NAME: 'redis.example' }, /ERR_TLS_CERT_ALTNAME_INVALID/],
];

for (const [what, env, code] of WRONG) {
  t.test(`decides, and names ${what}`, async (t) => {
    const app = await createTestApp(t, { emulators, env });
    await until('it is named in the log', () => app.events().includes('redis.misconfigured'));
    const line = app.logs.find(({ event }) => event === 'redis.misconfigured');
    t.match(line?.['code'], code);
    t.match(line?.['hint'], /^TLS fails/);
    const ready = await app.ask<{ redis_problem: { code: string } }>('GET', '/readyz');
    t.equal(ready.status, 200);
    t.match(ready.json.redis_problem.code, code);
    t.equal((await app.decide({ telemetry_id: 'allow', device_id: 'active' })).status, 200);
  });
}

t.test('survives being closed in the middle of a handshake with a stranger', async (t) => {
  const read = (path: string) => readFileSync(path, 'utf8');
  const target: RedisTarget = {
    ...toRedisTarget(`redis://127.0.0.1:${tlsPort}`),
    tls: { ca: read(strange.ca), cert: read(files.cert), key: read(files.key), serverName: null },
  };
  // Some of these moments are between the hello and the certificate. An error without a listener would end
  // the process.
  for (let moment = 0; moment < 60; moment += 1) {
    const connection = createRedisConnection(target, 'test');
    await delay(moment / 6);
    await connection.close();
  }
  t.pass('nothing was thrown');
});

t.test('refuses to start with files that are not what they should be', async (t) => {
  const env = {
    ...TLS,
    REDIS_TLS_CA_FILE: join(directory, 'missing.pem'),
    REDIS_TLS_CERT_FILE: files.key,
    REDIS_TLS_KEY_FILE: files.cert,
  };
  t.match(
    checkTlsFiles({
      caFile: env.REDIS_TLS_CA_FILE,
      certFile: env.REDIS_TLS_CERT_FILE,
      keyFile: env.REDIS_TLS_KEY_FILE,
      serverName: null,
    }),
    [
      /^REDIS_TLS_CA_FILE .*cannot be read \(ENOENT\)/,
      /^REDIS_TLS_CERT_FILE .*is not a certificate in PEM/,
      /^REDIS_TLS_KEY_FILE .*is not a private key in PEM/,
    ],
  );
});
