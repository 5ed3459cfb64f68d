import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { loadKeyring } from '../../src/http/callers/api-keys.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { COMPOSE_TEXT, findConfigFile, SERVICES } from '../support/compose-file.ts';

const { riskgate, redis, emulators } = SERVICES;

t.test('starts the service after a healthy Redis and healthy emulators', async (t) => {
  const always = Object.entries(SERVICES).filter(([, { profiles = [] }]) => profiles.length === 0);
  t.strictSame(always.map(([name]) => name).toSorted(), ['emulators', 'redis', 'riskgate']);
  t.strictSame(riskgate.depends_on, {
    redis: { condition: 'service_healthy' },
    emulators: { condition: 'service_healthy' },
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

t.test('says that it is a demo, with a key that everybody knows', async (t) => {
  t.match(COMPOSE_TEXT, /^# DEMO/);
  const text = readFileSync(findConfigFile(riskgate, '/etc/riskgate/api-keys.yaml'), 'utf8');
  t.ok(text.includes(hash('sha256', 'demo-key')));
  const keyring = loadKeyring(text);
  if (!keyring.ok) throw new Error(keyring.mistakes.join('\n'));
  t.strictSame([...(keyring.value.find('demo-key')?.scopes ?? [])], ['decide', 'read', 'admin']);
});
