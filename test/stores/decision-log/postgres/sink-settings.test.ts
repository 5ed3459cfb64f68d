import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../../../src/config/config.ts';
import { postgres } from '../../../../src/stores/decision-log/postgres/index.ts';
import { parseServerUrl } from '../../../../src/stores/decision-log/postgres/server-address.ts';
import { SINKS } from '../../../../src/stores/decision-log/registry.ts';
import { createDirectory, createEnvironment } from '../../../support/test-app.ts';
import { VENDORS } from '../../../support/vendors.ts';

const directory = createDirectory(t);
const URL_OF_ONE = 'postgres://riskgate@db/risk';

function load(env: Readonly<Record<string, string>>) {
  const all = { ...createEnvironment(directory, 'http://127.0.0.1:1'), ...env };
  const files = new Map([['/run/secret', `${URL_OF_ONE}\n`]]);
  return loadConfig(all, { providers: VENDORS, sinks: SINKS }, undefined, (path) => {
    const value = files.get(path);
    return value === undefined ? { ok: false, mistakes: [`${path}: is not there`] } : { ok: true, value };
  });
}

function namedBy(env: Readonly<Record<string, string>>): readonly string[] {
  const loaded = load(env);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value.decisionLog.sinks.filter(({ isNamed }) => isNamed).map(({ id }) => id);
}

t.test('is the log wherever HISTORY_URL is set, before that of one process', async (t) => {
  t.strictSame(namedBy({}), ['memory']);
  t.strictSame(namedBy({ HISTORY_URL: URL_OF_ONE }), ['postgres']);
  t.strictSame(namedBy({ HISTORY_URL_FILE: '/run/secret' }), ['postgres']);
  t.strictSame(namedBy({ HISTORY_URL: URL_OF_ONE, DATA_DIR: directory }), ['postgres']);
  t.strictSame(namedBy({ HISTORY_URL: URL_OF_ONE, REDIS_URL: 'redis://cache' }), ['postgres']);
  t.strictSame(namedBy({ HISTORY_URL: URL_OF_ONE, DECISION_LOG: 'memory' }), ['memory']);
  t.match(load({ DECISION_LOG: 'postgres' }), {
    ok: false,
    mistakes: ['DECISION_LOG names postgres, so HISTORY_URL is needed'],
  });
});

t.test('shares its retention with the history in files', async (t) => {
  const loaded = load({ HISTORY_URL: URL_OF_ONE, HISTORY_RETENTION_DAYS: '7' });
  if (!loaded.ok) throw new Error('it is no mistake');
  for (const id of ['sqlite', 'postgres'])
    t.match(
      loaded.value.decisionLog.sinks.find((sink) => sink.id === id),
      { settings: { retentionMs: 7 * 86_400_000, bytesMax: 10 * 2 ** 30 } },
    );
});

t.test('repeats no password in what it says of a mistake', async (t) => {
  const loaded = load({ HISTORY_URL: 'postgres://riskgate:canary@db/risk?sslmode=prefer' });
  t.equal(loaded.ok, false);
  t.match(JSON.stringify(loaded), /HISTORY_URL/);
  t.notMatch(JSON.stringify(loaded), /canary/);
});

t.test('names every mistake in its password and in the files of TLS', async (t) => {
  const noFile = join(directory, 'none.pem');
  const noPem = join(directory, 'other.pem');
  writeFileSync(noPem, 'nothing');
  const limits = { retentionMs: 1, labelledKeptMs: 1, bytesMax: 1 };
  t.strictSame(postgres.check({ server: parseServerUrl(URL_OF_ONE), password: 'secret', ...limits }), []);
  t.strictSame(
    postgres.check({
      server: parseServerUrl('postgres://riskgate:secret@db/risk'),
      password: 'secret',
      caFile: noFile,
      keyFile: noPem,
      ...limits,
    }),
    [
      'HISTORY_URL has a password, so that HISTORY_PASSWORD is one too many',
      `HISTORY_TLS_CA_FILE ${noFile}: cannot be read (ENOENT)`,
      `HISTORY_TLS_KEY_FILE ${noPem}: is not a private key in PEM`,
    ],
  );
});
