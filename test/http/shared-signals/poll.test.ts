import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyPair } from 'jose';
import t, { type Test } from 'tap';
import { pollStream } from '../../../src/http/shared-signals/poll-stream.ts';
import { createHttpClient } from '../../../src/platform/http-client.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import {
  AUDIENCE,
  CAEP,
  ISSUER,
  type SetTransmitter,
  startTransmitter,
} from '../../support/set-transmitter.ts';
import { createDirectory, createTestApp, startEmulators, until } from '../../support/test-app.ts';

/** Shared signals by poll (RFC 8936). */
interface Poll {
  readonly ack?: readonly string[];
  readonly setErrs?: Readonly<Record<string, { readonly err: string }>>;
  readonly maxEvents: number;
  readonly returnImmediately: boolean;
  readonly authorization: string;
}

const emulators = await startEmulators(t);
const POLICY = `policy: p
description: d
otherwise: ALLOW
rules:
  - {id: revoked, when: 'shared.account.session_revoked_seconds < 3600', verdict: BLOCK, reason: REVOKED}
`;
const pollsOf = ({ asked }: SetTransmitter) => asked.polls as Poll[];

async function open(t: Test, prepare: (transmitter: SetTransmitter) => Promise<void>) {
  const transmitter = await startTransmitter(t);
  await prepare(transmitter);
  const directory = createDirectory(t);
  const token = join(directory, 'token');
  writeFileSync(token, 'secret-of-polls\n');
  const file = join(directory, 'streams.yaml');
  writeFileSync(
    file,
    `streams:
  idp:
    issuer: ${ISSUER}
    audience: [${AUDIENCE}, https://another.example.com]
    jwks_uri: ${transmitter.origin}/jwks
    poll: {url: ${transmitter.origin}/poll, token_file: ${token}, interval_seconds: 1}
`,
  );
  const app = await createTestApp(t, { emulators, policy: POLICY, env: { SHARED_SIGNALS_FILE: file } });
  const verdictOf = async (account_id: string) =>
    (await app.decide({ telemetry_id: 'allow', device_id: 'active', account_id })).json.decision;
  return { transmitter, app, verdictOf };
}

t.test('takes what is polled, acknowledges it, and says what is refused', async (t) => {
  const { privateKey: stranger } = await generateKeyPair('ES256');
  const { transmitter, verdictOf, app } = await open(t, async (transmitter) => {
    const subject = (id: string) => ({ format: 'opaque', id });
    const good = await transmitter.sign(`${CAEP}session-revoked`, {}, subject('acct_polled'));
    const bad = await transmitter.sign(`${CAEP}session-revoked`, {}, subject('x'), { key: stranger });
    transmitter.pollAnswers.push({ body: { sets: { good, bad, odd: 7 }, moreAvailable: true } });
  });
  await until('it is acknowledged', () => pollsOf(transmitter).some(({ ack }) => ack !== undefined));
  const [first, second] = pollsOf(transmitter);
  t.match(first, { maxEvents: 50, returnImmediately: true, authorization: 'Bearer secret-of-polls' });
  t.notOk('ack' in Object(first));
  t.match(second, { ack: ['good'], setErrs: { bad: { err: 'authentication_failed' } } });
  t.equal(await verdictOf('acct_polled'), 'BLOCK');
  t.notMatch(app.logText(), /secret-of-polls|acct_polled/);
});

/** Polls every few milliseconds, and receives as `receive` says. */
async function pollFast(
  t: Test,
  kinds: readonly ('taken' | 'later')[],
  answers: SetTransmitter['pollAnswers'],
) {
  const transmitter = await startTransmitter(t);
  transmitter.pollAnswers.push(...answers);
  const lines: string[] = [];
  const client = createHttpClient({ baseUrl: transmitter.origin });
  const received: string[] = [];
  const polling = pollStream({
    stream: {
      name: 'idp',
      trust: { issuer: ISSUER, audience: AUDIENCE, algorithms: [], keys: async () => new Uint8Array() },
    },
    url: new URL(`${transmitter.origin}/poll`),
    client,
    token: null,
    intervalMs: 2,
    receive: async (_stream, { token }) => {
      received.push(token);
      return { kind: kinds[received.length - 1] ?? 'taken' };
    },
    logger: createLogger('info', { write: (line) => void lines.push(line) }).logger,
  });
  t.teardown(async () => {
    await polling.stop();
    await client.close();
  });
  const events = () => lines.map((line) => (JSON.parse(line) as { event: string }).event);
  return { transmitter, received, events };
}

t.test('a transmitter that fails is polled again, and told once', async (t) => {
  const { transmitter, received, events } = await pollFast(
    t,
    [],
    [
      { status: 500, body: '' },
      { body: 'no json' },
      { body: { nothing: true } },
      { body: { sets: { late: 'a token' } } },
    ],
  );
  await until('the token came', () => received.includes('a token'));
  await until('it is acknowledged', () => pollsOf(transmitter).some(({ ack }) => ack?.includes('late')));
  t.same(events(), ['shared_signals.poll_failed', 'shared_signals.poll_recovered']);
  t.notOk('authorization' in Object(pollsOf(transmitter)[0]) && pollsOf(transmitter)[0]?.authorization);
});

t.test('what cannot be taken for now is not acknowledged, and taken when it comes again', async (t) => {
  const again = { body: { sets: { again: 'a token' } } };
  const { transmitter, received } = await pollFast(t, ['later'], [again, { body: { sets: {} } }, again]);
  await until('it is acknowledged', () => pollsOf(transmitter).some(({ ack }) => ack?.includes('again')));
  t.same(received, ['a token', 'a token']);
  t.notOk(
    pollsOf(transmitter)
      .slice(0, 3)
      .some(({ ack, setErrs }) => ack ?? setErrs),
  );
});
