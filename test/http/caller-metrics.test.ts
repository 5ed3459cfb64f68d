import { hash } from 'node:crypto';
import t from 'tap';
import { type ApiKeyEntry, writeApiKeys } from '../support/api-key-file.ts';
import { parseScrape } from '../support/scrape.ts';
import {
  createDirectory,
  createManualClock,
  createTestApp,
  startEmulators,
  until,
} from '../support/test-app.ts';

const GOOD = { telemetry_id: 'allow', device_id: 'active' };

const emulators = await startEmulators(t);

t.test('tells readers when each key was last used, and strangers nothing of callers', async (t) => {
  const clock = createManualClock(1_800_000_000_000);
  const directory = createDirectory(t);
  const keys = (more: readonly ApiKeyEntry[] = []) =>
    writeApiKeys(directory, [
      { id: 'login', key: 'old' },
      { id: 'login', key: 'new' },
      { id: 'ended', key: 'ended', not_after: '2020-01-01T00:00:00Z' },
      { id: 'monitor', key: 'monitor', scopes: ['read'] },
      ...more,
    ]);
  const app = await createTestApp(t, { emulators, clock, env: { API_KEYS_FILE: keys() } });
  const used = async () => {
    const { status, text, headers } = await app.ask('GET', '/v1/metrics', { key: 'monitor' });
    t.equal(status, 200);
    t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    const samples = parseScrape(text).get('riskgate_key_last_used_timestamp_seconds') ?? [];
    return Object.fromEntries(
      samples.map(({ labels, value }) => [`${labels['caller']} ${labels['key']}`, value]),
    );
  };
  const named = (caller: string, key: string) => `${caller} ${hash('sha256', key).slice(0, 12)}`;
  await app.decide(GOOD, { key: 'old' });
  clock.advance(5_000);
  await app.refused(GOOD, { key: 'ended' });
  await app.refused(GOOD, { key: 'unknown' });
  const expected = {
    [named('login', 'old')]: 1_800_000_000,
    [named('login', 'new')]: 0,
    [named('ended', 'ended')]: 0,
    [named('monitor', 'monitor')]: 1_800_000_005,
  };
  t.same(await used(), expected);
  clock.advance(1_000);
  const headers = { 'x-riskgate-key': 'new' };
  await app.ask('GET', '/v1/gateway/nginx/default', { key: null, headers });
  keys([{ id: 'another', key: 'another' }]);
  await until('the keys are reloaded', () => app.events().includes('api_keys.reloaded'));
  t.same(await used(), {
    ...expected,
    [named('login', 'new')]: 1_800_000_006,
    [named('monitor', 'monitor')]: 1_800_000_006,
    [named('another', 'another')]: 0,
  });
  t.equal((await app.ask('GET', '/v1/metrics', { key: null })).status, 401);
  const { text } = await app.ask('GET', '/metrics', { key: 'monitor' });
  t.notMatch(text, /login|monitor|riskgate_key_/);
  const off = await createTestApp(t, { emulators, env: { METRICS: 'off' } });
  t.equal((await off.ask('GET', '/v1/metrics')).status, 404);
});
