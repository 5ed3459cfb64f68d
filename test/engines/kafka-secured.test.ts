import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { kafka } from '../../src/stores/decision-log/kafka/index.ts';
import { createDecisionRecord } from '../support/decision-records.ts';
import { startKafkaServer } from '../support/kafka-server.ts';
import { createLineLog } from '../support/line-log.ts';
import { openSink } from '../support/open-sink.ts';
import { readTopic } from '../support/read-topic.ts';
import { createDirectory, until } from '../support/test-app.ts';
import { createTlsFiles } from '../support/tls-files.ts';

const PASSWORD = 'p@ss/word 1';
const directory = createDirectory(t);
const tls = createTlsFiles(directory, 'kafka', ['localhost']);
const strange = createTlsFiles(directory, 'strange');
const server = await startKafkaServer(t, { secured: { tls, users: { service: PASSWORD } } });
const tokenFile = join(directory, 'token');

const SECURED = {
  brokers: server.securedBrokers.split(','),
  compression: 'zstd',
  isTls: true,
  caFile: tls.ca,
  certFile: tls.cert,
  keyFile: tls.key,
} as const;
const LOGIN = { username: 'service', password: PASSWORD };

/** A token without a signature (RFC 7519, section 6), as this broker takes them, that ends at a Unix time. */
function toToken(endsMs: number): string {
  const toPart = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'service', iat: endsMs / 1000 - 3600, exp: endsMs / 1000 };
  return `${toPart({ alg: 'none' })}.${toPart(claims)}.`;
}

let topics = 0;
async function createTopic(): Promise<string> {
  topics += 1;
  await server.createTopic(`test-${topics}`);
  return `test-${topics}`;
}

const batch = { number: 1, records: [createDecisionRecord(Date.now(), 1)] };

for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']) {
  t.test(`writes over TLS, signed in by ${mechanism}`, async (t) => {
    const topic = await createTopic();
    writeFileSync(tokenFile, `${toToken(Date.now() + 3_600_000)}\n`);
    const login = mechanism === 'OAUTHBEARER' ? { tokenFile } : LOGIN;
    const { sink } = await openSink(t, kafka, { ...SECURED, ...login, topic, mechanism });
    t.equal(await sink.append(batch), true);
    t.equal((await readTopic(server.brokers, topic)).length, 1);
  });
}

/** What is wrong, and the code that names it. */
const WRONG: readonly (readonly [string, Readonly<Record<string, unknown>>, RegExp])[] = [
  ['a wrong password', { ...LOGIN, mechanism: 'PLAIN', password: 'canary' }, /^SASL_AUTHENTICATION_FAILED$/],
  [
    'a wrong password of SCRAM',
    { ...LOGIN, mechanism: 'SCRAM-SHA-512', password: 'canary' },
    /^SASL_AUTHENTICATION_FAILED$/,
  ],
  ['a token that has ended', { mechanism: 'OAUTHBEARER', tokenFile }, /^SASL_AUTHENTICATION_FAILED$/],
  ['another authority', { ...LOGIN, mechanism: 'PLAIN', caFile: strange.ca }, /SELF_SIGNED|UNABLE_TO|CERT/],
  [
    'another name',
    { ...LOGIN, mechanism: 'PLAIN', serverName: 'elsewhere' },
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
  ],
];

for (const [what, settings, expected] of WRONG) {
  t.test(`says that it met ${what}, keeps nothing, and tells no secret`, async (t) => {
    const topic = await createTopic();
    writeFileSync(tokenFile, toToken(Date.now() - 60_000));
    const log = createLineLog();
    const context = { timeoutMs: 200, logger: log.logger };
    const { sink } = await openSink(t, kafka, { ...SECURED, ...settings, topic }, context);
    const codes = () => log.lines().map(({ code }) => String(code));
    await until('the reason is told', async () => {
      t.equal(await sink.append(batch), false);
      return codes().some((code) => expected.test(code));
    });
    t.notMatch(log.text(), /canary|p@ss|eyJ/);
    t.strictSame(await readTopic(server.brokers, topic), []);
  });
}

t.test('reads the token again where it is renewed in place', async (t) => {
  const topic = await createTopic();
  writeFileSync(tokenFile, toToken(Date.now() - 60_000));
  const settings = { ...SECURED, mechanism: 'OAUTHBEARER', tokenFile, topic };
  const { sink } = await openSink(t, kafka, settings, { timeoutMs: 200 });
  t.equal(await sink.append(batch), false);
  writeFileSync(tokenFile, toToken(Date.now() + 3_600_000));
  await until('the batch is kept', async () => sink.append(batch));
  t.equal((await readTopic(server.brokers, topic)).length, 1);
});

t.test('says that a broker wants to know who it is', async (t) => {
  const log = createLineLog();
  const { certFile: _certFile, keyFile: _keyFile, ...nobody } = SECURED;
  const settings = { ...nobody, ...LOGIN, mechanism: 'PLAIN', topic: 'test-1' };
  const { sink } = await openSink(t, kafka, settings, { timeoutMs: 200, logger: log.logger });
  await until('a reason is told', async () => {
    t.equal(await sink.append(batch), false);
    return log.lines().some(({ code }) => code !== 'TIMEOUT');
  });
  t.match(log.lines().at(-1), { event: 'decision_log.kafka_failed' });
});
