import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadConfig } from '../../../../src/config/config.ts';
import { kafka } from '../../../../src/stores/decision-log/kafka/index.ts';
import { SINKS } from '../../../../src/stores/decision-log/registry.ts';
import { createLineLog } from '../../../support/line-log.ts';
import { openSink } from '../../../support/open-sink.ts';
import { PLUG_INS } from '../../../support/plug-ins.ts';
import { createDirectory } from '../../../support/test-app.ts';
import { createTlsFiles } from '../../../support/tls-files.ts';

const directory = createDirectory(t);
const files = createTlsFiles(directory, 'client');
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, 'token-1\n');

const PLAIN = {
  API_KEYS_FILE: 'keys.yaml',
  ID_HASH_KEY: 'k'.repeat(32),
  STYTCH_PROJECT_ID: 'project-1',
  STYTCH_SECRET: 'secret-1',
  DECISION_LOG: 'kafka',
  KAFKA_BROKERS: 'one:19092',
};
const TLS = { KAFKA_TLS: 'on', KAFKA_TLS_CA_FILE: files.ca };

/** What the sink is opened with, or every mistake. */
function read(env: Readonly<Record<string, string>>) {
  const loaded = loadConfig({ ...PLAIN, ...env }, PLUG_INS);
  if (!loaded.ok) return { settings: {}, mistakes: loaded.mistakes };
  const settings = loaded.value.decisionLog.sinks.find(({ id }) => id === 'kafka')?.settings ?? {};
  return { settings, mistakes: kafka.check(settings) };
}

function mistakesOf(env: Readonly<Record<string, string>>): readonly string[] {
  return read(env).mistakes;
}

t.test('needs brokers alone', async (t) => {
  t.ok(SINKS.includes(kafka));
  t.strictSame(read({ KAFKA_BROKERS: 'one, [2001:db8::1]:9093,10.0.0.1:1' }), {
    settings: {
      brokers: ['one:9092', '[2001:db8::1]:9093', '10.0.0.1:1'],
      topic: 'riskgate.decisions',
      compression: 'zstd',
      isTls: false,
    },
    mistakes: [],
  });
  t.strictSame(mistakesOf({ KAFKA_BROKERS: '' }), ['DECISION_LOG names kafka, so KAFKA_BROKERS is needed']);
  for (const brokers of ['one:0', 'one:65536', 'kafka://one:9092', 'one two', 'one,,two', 'one:x'])
    t.match(mistakesOf({ KAFKA_BROKERS: brokers }), [/^KAFKA_BROKERS must be a list of host:port/], brokers);
});

t.test('refuses a topic that Kafka refuses', async (t) => {
  t.strictSame(mistakesOf({ KAFKA_TOPIC: 'a.b_c-D9' }), []);
  for (const topic of ['.', '..', 'a/b', 'a b', 'ä', 'x'.repeat(250)])
    t.match(mistakesOf({ KAFKA_TOPIC: topic }), [/^KAFKA_TOPIC must be/], topic);
});

t.test('says what goes with TLS, and which files are wrong', async (t) => {
  const own = { KAFKA_TLS_CERT_FILE: files.cert, KAFKA_TLS_KEY_FILE: files.key };
  t.strictSame(mistakesOf({ ...TLS, ...own, KAFKA_TLS_SERVER_NAME: 'kafka.internal' }), []);
  t.strictSame(mistakesOf({ ...own, KAFKA_TLS_SERVER_NAME: 'kafka.internal' }), [
    'KAFKA_TLS_CERT_FILE needs KAFKA_TLS=on',
    'KAFKA_TLS_KEY_FILE needs KAFKA_TLS=on',
    'KAFKA_TLS_SERVER_NAME needs KAFKA_TLS=on',
  ]);
  t.strictSame(mistakesOf({ ...TLS, KAFKA_TLS_CERT_FILE: files.cert }), [
    'KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE need each other',
  ]);
  t.strictSame(
    mistakesOf({
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA_FILE: '/nowhere',
      KAFKA_TLS_CERT_FILE: files.key,
      KAFKA_TLS_KEY_FILE: files.cert,
    }),
    [
      'KAFKA_TLS_CA_FILE /nowhere: cannot be read (ENOENT)',
      `KAFKA_TLS_CERT_FILE ${files.key}: is not a certificate in PEM`,
      `KAFKA_TLS_KEY_FILE ${files.cert}: is not a private key in PEM`,
    ],
  );
});

t.test('says what goes with each way to sign in', async (t) => {
  const password = { KAFKA_SASL_USERNAME: 'service', KAFKA_SASL_PASSWORD: 'canary' };
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    t.strictSame(mistakesOf({ ...TLS, ...password, KAFKA_SASL_MECHANISM: mechanism }), []);
    t.strictSame(mistakesOf({ ...TLS, KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_TOKEN_FILE: tokenFile }), [
      `KAFKA_SASL_MECHANISM ${mechanism} needs KAFKA_SASL_USERNAME`,
      `KAFKA_SASL_MECHANISM ${mechanism} needs KAFKA_SASL_PASSWORD`,
      `KAFKA_SASL_TOKEN_FILE does not go with KAFKA_SASL_MECHANISM ${mechanism}`,
    ]);
  }
  const token = { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_SASL_TOKEN_FILE: tokenFile };
  t.strictSame(mistakesOf({ ...TLS, ...token }), []);
  t.strictSame(mistakesOf({ ...TLS, ...token, KAFKA_SASL_TOKEN_FILE: '/nowhere' }), [
    'KAFKA_SASL_TOKEN_FILE /nowhere: cannot be read (ENOENT)',
  ]);
  t.strictSame(mistakesOf({ ...password }), [
    'KAFKA_SASL_USERNAME needs KAFKA_SASL_MECHANISM',
    'KAFKA_SASL_PASSWORD needs KAFKA_SASL_MECHANISM',
  ]);
  t.match(mistakesOf({ KAFKA_SASL_MECHANISM: 'GSSAPI' }), [/^KAFKA_SASL_MECHANISM must be PLAIN/]);
});

t.test('warns of what is sent in the clear, and never of what it is', async (t) => {
  const login = { KAFKA_SASL_USERNAME: 'service', KAFKA_SASL_PASSWORD: 'canary' };
  const warned: string[] = [];
  for (const env of [
    { ...login, KAFKA_SASL_MECHANISM: 'PLAIN' },
    { KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_SASL_TOKEN_FILE: tokenFile },
    { ...login, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' },
    { ...login, ...TLS, KAFKA_SASL_MECHANISM: 'PLAIN' },
  ]) {
    const log = createLineLog();
    await openSink(t, kafka, read(env).settings, { logger: log.logger });
    if (log.lines().some(({ event }) => event === 'decision_log.kafka_clear_login'))
      warned.push(env.KAFKA_SASL_MECHANISM);
    t.notMatch(log.text(), /canary|token-1/);
  }
  t.strictSame(warned, ['PLAIN', 'OAUTHBEARER']);
});
