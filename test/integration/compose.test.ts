import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import t from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { loadKeyring } from '../../src/http/callers/api-keys.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { COMPOSE_TEXT, findConfigFile, SERVICES, VOLUMES } from '../support/compose-file.ts';
import { PLUG_INS } from '../support/plug-ins.ts';
import { ROOT } from '../support/start-program.ts';

const { riskgate, redis, emulators, postgres } = SERVICES;

t.test('starts the service after a healthy Redis and healthy emulators', async (t) => {
  const always = Object.entries(SERVICES).filter(([, { profiles = [] }]) => profiles.length === 0);
  t.strictSame(always.map(([name]) => name).toSorted(), ['emulators', 'redis', 'riskgate']);
  t.strictSame(riskgate.depends_on, {
    redis: { condition: 'service_healthy' },
    emulators: { condition: 'service_healthy' },
    // Waited for where its profile is on, and not missed where it is off.
    postgres: { condition: 'service_healthy', required: false },
  });
  t.match(redis.healthcheck?.test.join(' '), /redis-cli ping/);
  t.strictSame([riskgate.healthcheck, emulators.healthcheck], [undefined, undefined], "the images' own");
});

t.test('builds the emulators apart from the service', async (t) => {
  t.strictSame(
    [riskgate.build, emulators.build],
    ['.', { context: '.', dockerfile: 'docker/emulators.Dockerfile' }],
  );
});

t.test('publishes the service alone, to this machine alone', async (t) => {
  t.strictSame(riskgate.ports, ['127.0.0.1:8080:8080']);
  t.equal(redis.ports, undefined);
  t.equal(emulators.ports, undefined);
});

t.test('takes every privilege away', async (t) => {
  for (const service of Object.values(SERVICES)) {
    t.match(service, {
      read_only: true,
      tmpfs: ['/tmp'],
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  }
  t.equal(redis.user, 'redis');
});

t.test('points the service at its emulators and its Redis', async (t) => {
  t.match(riskgate.environment, {
    ...emulatorEnvironment(PROVIDERS, 'http://emulators:8081'),
    REDIS_URL: 'redis://redis:6379',
  });
});

t.test('keeps its history in a volume', async (t) => {
  const [volume, place] = riskgate.volumes?.[0]?.split(':') ?? [];
  t.equal(riskgate.environment?.['DATA_DIR'], place);
  t.ok(volume !== undefined && Object.hasOwn(VOLUMES, volume), 'one that Compose makes');
  t.strictSame(namedSinks(riskgate.environment ?? {}), ['sqlite']);
});

t.test('keeps its history in PostgreSQL with docker/history.env', async (t) => {
  const file = readFileSync(join(ROOT, 'docker/history.env'), 'utf8');
  const chosen = parseEnv(file);
  t.strictSame(postgres.profiles, [chosen['COMPOSE_PROFILES']]);
  // What Compose puts in its place, and leaves empty without the file.
  t.match(COMPOSE_TEXT, /^ +HISTORY_URL: \$\{HISTORY_URL:-\}$/m);
  const url = new URL(chosen['HISTORY_URL'] ?? '');
  t.strictSame(
    [url.hostname, url.username, url.password, url.pathname],
    [
      'postgres',
      postgres.environment?.['POSTGRES_USER'],
      postgres.environment?.['POSTGRES_PASSWORD'],
      `/${postgres.environment?.['POSTGRES_DB']}`,
    ],
  );
  t.strictSame(namedSinks({ ...riskgate.environment, HISTORY_URL: url.href }), ['postgres']);
  t.match(postgres.healthcheck?.test.join(' '), /pg_isready/);
  t.equal(postgres.user, 'postgres');
  t.equal(postgres.ports, undefined);
  const [volume = ''] = postgres.volumes?.[0]?.split(':') ?? [];
  t.ok(Object.hasOwn(VOLUMES, volume));
});

/** Where the service records with an environment. */
function namedSinks(env: Readonly<Record<string, string>>): readonly string[] {
  const loaded = loadConfig(env, PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value.decisionLog.sinks.filter(({ isNamed }) => isNamed).map(({ id }) => id);
}

t.test('says that it is a demo, with a key that everybody knows', async (t) => {
  t.match(COMPOSE_TEXT, /^# DEMO/);
  const text = readFileSync(findConfigFile(riskgate, '/etc/riskgate/api-keys.yaml'), 'utf8');
  t.ok(text.includes(hash('sha256', 'demo-key')));
  const keyring = loadKeyring(text);
  if (!keyring.ok) throw new Error(keyring.mistakes.join('\n'));
  t.strictSame([...(keyring.value.find('demo-key')?.scopes ?? [])], ['decide', 'read', 'admin', 'review']);
});
