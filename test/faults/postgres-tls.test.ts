import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { createLogger } from '../../src/platform/logger.ts';
import { postgres } from '../../src/stores/decision-log/postgres/index.ts';
import { parseServerUrl } from '../../src/stores/decision-log/postgres/server-address.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { openSink } from '../support/open-sink.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { createDirectory } from '../support/test-app.ts';
import { createTlsFiles } from '../support/tls-files.ts';

const directory = createDirectory(t);
const ours = createTlsFiles(directory, 'ours');
const others = createTlsFiles(directory, 'others');
const server = await startPostgresServer(t, {
  settings: ['fsync = off', 'ssl = on', "ssl_cert_file = 'cert.pem'", "ssl_key_file = 'key.pem'"],
  prepare: (data) => {
    copyFileSync(ours.cert, join(data, 'cert.pem'));
    copyFileSync(ours.key, join(data, 'key.pem'));
  },
});

async function open(t: Test, mode: string, files: Readonly<Record<string, string>>) {
  const lines: string[] = [];
  const { logger } = createLogger('info', { write: (line) => void lines.push(line) });
  const url = await server.createDatabase();
  const settings = {
    server: parseServerUrl(`${url}?sslmode=${mode}`),
    retentionMs: 1,
    labelledKeptMs: 1,
    bytesMax: 2 ** 30,
    ...files,
  };
  t.strictSame(postgres.check(settings), []);
  const { sink } = await openSink(t, postgres, settings, { logger, timeoutMs: 1000 });
  const isKept = await sink.append({ number: 1, records: [createDecisionRecord(Date.now(), 1)] });
  return { isKept, codes: lines.map((line) => (JSON.parse(line) as { code?: string }).code) };
}

t.test('writes over TLS to a server whose certificate it trusts', async (t) => {
  for (const mode of ['require', 'verify-full'])
    t.equal((await open(t, mode, { caFile: ours.ca })).isKept, true, mode);
  const sessions = await server.query<{ ssl: boolean }>(
    "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'riskgate-history'",
  );
  t.ok(sessions.length > 0 && sessions.every(({ ssl }) => ssl));
});

t.test('writes nothing to a server whose certificate it does not trust', async (t) => {
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    const { isKept, codes } = await open(t, mode, { caFile: others.ca });
    t.equal(isKept, false, mode);
    t.match(codes, ['UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
  }
});
