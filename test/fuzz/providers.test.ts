import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { createOpenApiDocument } from '../../openapi/document.ts';
import { INDEFINITE_OUTCOMES } from '../../src/domain/evidence.ts';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { MOBILERUN_FULL, PREFACTOR_FULL, STYTCH_FULL } from '../providers/payloads.ts';
import type { ProviderId } from '../support/answer.ts';
import { createAnswerChecker } from '../support/answer-checker.ts';
import { fuzzRun } from '../support/fuzz-run.ts';
import { mutated, mutatedText } from '../support/mutations.ts';
import { createTestApp, portOf, type TestApp } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const document = JSON.parse(await createOpenApiDocument(VENDORS));
const check = createAnswerChecker(document);

/** What one provider answers. `ID` in a body stands for the id that was asked about. */
interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly end: 'whole' | 'reset' | 'truncated';
}

type Replies = Readonly<Record<ProviderId, Reply>>;

const ID = '@the-id@';
const EXPIRES_AT = '2099-01-01T00:00:00Z';

/** Payloads with nothing against the subject. */
const CLEAN: Readonly<Record<ProviderId, object>> = {
  stytch: {
    ...STYTCH_FULL,
    telemetry_id: ID,
    created_at: '2026-01-01T00:00:00Z',
    expires_at: EXPIRES_AT,
    verdict: { ...STYTCH_FULL.verdict, action: 'ALLOW', reasons: [] },
  },
  // A phone of its own: one that many ids share is something against each of them.
  mobilerun: {
    ...MOBILERUN_FULL,
    identifiers: {
      ...MOBILERUN_FULL.identifiers,
      IdentifierIMEI: '',
      IdentifierGAID: ID,
      IdentifierMediaDRMID: '',
    },
  },
  // The first and the last interaction of the sample are two browsers in two countries.
  prefactor: {
    ...PREFACTOR_FULL,
    summary: { ...PREFACTOR_FULL.summary, id: ID, last_seen: PREFACTOR_FULL.summary.first_seen },
  },
};
/** What the vendors say when they do not know an id, or refuse. */
const REFUSALS: Readonly<Record<ProviderId, readonly object[]>> = {
  stytch: [
    { status_code: 404, error_type: 'telemetry_id_not_found', error_message: 'x', request_id: 'r' },
    { status_code: 404, error_type: 'route_not_found' },
    { status_code: 500, error_type: 'internal_server_error' },
  ],
  mobilerun: [
    { title: 'Not Found', status: 404, detail: 'device not found' },
    { title: 'Not Found', status: 404, detail: 'feature is not supported on this device' },
  ],
  prefactor: [
    { status: 'error', code: 'not_found', message: 'x' },
    { status: 'error', code: 'bad_authtoken' },
  ],
};

function repliesOf(provider: ProviderId): fc.Arbitrary<Reply> {
  const clean = CLEAN[provider];
  const text = JSON.stringify(clean);
  const json = (value: unknown) => JSON.stringify(value);
  const body = fc.oneof(
    { weight: 10, arbitrary: fc.constant<string | Buffer>(text) },
    { weight: 14, arbitrary: mutated(clean).map(json) },
    { weight: 5, arbitrary: mutatedText(text) },
    { weight: 2, arbitrary: fc.constantFrom(...REFUSALS[provider]).map(json) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(...REFUSALS[provider])
        .chain(mutated)
        .map(json),
    },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.constant(json({ __proto__x: clean, data: clean })) },
    { weight: 1, arbitrary: fc.constant(`{"__proto__":${text},"constructor":{"prototype":${text}}}`) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '',
        'null',
        '[]',
        `${'['.repeat(50_000)}`,
        `\ufeff${text}`,
        'x'.repeat(300_000),
      ),
    },
  );
  const fuzzed = fc.record({
    status: fc.oneof(
      { weight: 16, arbitrary: fc.constant(200) },
      { weight: 3, arbitrary: fc.constantFrom(404, 201, 204, 301, 400, 401, 403) },
      { weight: 1, arbitrary: fc.integer({ min: 200, max: 499 }) },
      // Few, because they open the circuit.
      { weight: 1, arbitrary: fc.integer({ min: 500, max: 599 }) },
    ),
    type: fc.oneof(
      { weight: 16, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('text/html', 'application/problem+json', '', 'application/json-seq'),
      },
    ),
    body,
    headers: fc.oneof(
      { weight: 8, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          { 'retry-after': '-1' },
          { 'retry-after': '99999999999999999999' },
          { 'content-encoding': 'gzip' },
          { location: 'http://127.0.0.1:9/' },
          { 'set-cookie': 'a=b' },
        ) as fc.Arbitrary<Record<string, string>>,
      },
    ),
    end: fc.oneof(
      { weight: 30, arbitrary: fc.constant('whole' as const) },
      { weight: 1, arbitrary: fc.constantFrom('reset' as const, 'truncated' as const) },
    ),
  });
  const whole = { status: 200, type: 'application/json', body: text, headers: {}, end: 'whole' } as const;
  return fc.oneof(fc.constant(whole), fuzzed);
}

/**
 * Whether a reply can be definite clean evidence, judged without any code of the service: what every clean
 * answer has, and no more.
 */
function mayBeClean(provider: ProviderId, { status, type, body, end }: Reply): boolean {
  if (status !== 200 || end !== 'whole' || !type.startsWith('application/')) return false;
  let payload: unknown;
  try {
    payload = JSON.parse(String(body));
  } catch {
    // A SyntaxError.
    return false;
  }
  const own = (holder: unknown, name: string): unknown =>
    typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
      ? Reflect.get(holder, name)
      : null;
  switch (provider) {
    case 'stytch': {
      const verdict = own(payload, 'verdict');
      const isValid = Date.parse(String(own(payload, 'expires_at'))) > Date.now();
      const isGood = own(verdict, 'action') === 'ALLOW' && own(verdict, 'is_authentic_device') === true;
      return own(payload, 'telemetry_id') === ID && isValid && isGood;
    }
    case 'mobilerun': {
      const identifiers = own(payload, 'identifiers');
      return Object.keys(MOBILERUN_FULL.identifiers).every(
        (name) => typeof own(identifiers, name) === 'string',
      );
    }
    case 'prefactor': {
      const summary = own(payload, 'summary');
      const isActive = own(summary, 'status') === 'active';
      return own(payload, 'status') === 'success' && own(summary, 'id') === ID && isActive;
    }
  }
}

interface Upstream {
  readonly origin: string;
  /** Answers about this id so from now on. */
  answerAbout(id: string, replies: Replies): void;
}

/** One server in the place of all three vendors. */
async function startUpstream(t: Test): Promise<Upstream> {
  const repliesById = new Map<string, Replies>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = (request.url ?? '') + Buffer.concat(await request.toArray()).toString();
    const provider = asked.includes('/lookup')
      ? 'stytch'
      : asked.includes('/devices/')
        ? 'mobilerun'
        : 'prefactor';
    const id = /fuzz-\d+/.exec(asked)?.[0] ?? '';
    const reply = repliesById.get(id)?.[provider];
    if (reply === undefined || reply.end === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const body = typeof reply.body === 'string' ? Buffer.from(reply.body.replaceAll(ID, id)) : reply.body;
    const type = reply.type === '' ? {} : { 'content-type': reply.type };
    response.writeHead(reply.status, { ...reply.headers, ...type, 'content-length': body.length });
    if (reply.end === 'whole') response.end(reply.status === 204 || reply.status === 304 ? undefined : body);
    else response.write(body.subarray(0, body.length / 2), () => request.socket.destroy());
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${portOf(server.address())}`,
    answerAbout: (id, replies) => void repliesById.set(id, replies),
  };
}

let serial = 0;

interface Round {
  readonly verdict: string;
  readonly outcomes: readonly string[];
  readonly mistake: string | null;
}

/** Each round is about an id of its own, so that nothing is answered from a cache. */
async function play(app: TestApp, upstream: Upstream, replies: Replies): Promise<Round> {
  serial += 1;
  const id = `fuzz-${serial}`;
  upstream.answerAbout(id, replies);
  const answer = await app.decide(
    { telemetry_id: id, device_id: id, max_age_ms: 0 },
    { url: '/v1/decide?explain=full' },
  );
  const { status, headers, text: body, json } = answer;
  const described = check({ method: 'POST', path: '/v1/decide', status, headers, body });
  const outcomes = Object.values(json.providers).map(({ outcome }) => outcome);
  const dirty = VENDORS.filter(({ id }) => !mayBeClean(id as ProviderId, replies[id as ProviderId])).map(
    ({ id }) => id,
  );
  const isLost = outcomes.some((outcome) => INDEFINITE_OUTCOMES.some((lost) => lost === outcome));
  let mistake = described;
  if (json.decision === 'ALLOW' && dirty.length > 0)
    mistake ??= `ALLOW although ${dirty.join()} is not clean`;
  if (json.decision === 'ALLOW' && isLost) mistake ??= 'ALLOW although evidence is missing';
  if (json.degraded !== isLost) mistake ??= 'degraded says something else than the outcomes';
  return { verdict: json.decision, outcomes, mistake };
}

/** Rounds that are played at once: some wait for a retry. */
const someRounds = fc.array(
  fc.record({
    stytch: repliesOf('stytch'),
    mobilerun: repliesOf('mobilerun'),
    prefactor: repliesOf('prefactor'),
  }),
  { minLength: 1, maxLength: 8 },
);

async function openApp(t: Test, upstream: Upstream, policy?: string): Promise<TestApp> {
  return createTestApp(t, {
    env: { ...emulatorEnvironment(VENDORS, upstream.origin), DECISION_DEADLINE_MS: '5000' },
    ...(policy === undefined ? {} : { policy }),
  });
}

t.test('never allows on anything but definite clean evidence, whatever the providers answer', async (t) => {
  const upstream = await startUpstream(t);
  const app = await openApp(t, upstream);
  const seen = new Map<string, number>();
  const count = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(someRounds, async (drawn) => {
      const rounds = await Promise.all(drawn.map((replies) => play(app, upstream, replies)));
      for (const { verdict, outcomes, mistake } of rounds) {
        for (const name of [verdict, ...outcomes]) count(name);
        if (mistake !== null) throw new Error(mistake);
      }
    }),
    fuzzRun(t, 200),
  );
  t.comment(JSON.stringify([...seen]));
  for (const name of [
    'ALLOW',
    'CHALLENGE',
    'BLOCK',
    'ok',
    'not_found',
    'malformed',
    'unavailable',
    'unauthorized',
    'invalid_request',
  ])
    t.ok((seen.get(name) ?? 0) > 0, `there was ${name}`);
  for (const event of ['request.failed', 'service.crashed']) t.notOk(app.events().includes(event));
  t.notMatch(app.logText(), /provider_code_threw/);
});

t.test('would notice a policy that lets missing evidence pass', async (t) => {
  const upstream = await startUpstream(t);
  const lax = readFileSync(new URL('../../policies/default.yaml', import.meta.url), 'utf8').replaceAll(
    /^( +)(reason: .*)$/gm,
    '$1$2\n$1on_unknown: IGNORE',
  );
  const app = await openApp(t, upstream, lax);
  const result = await fc.check(
    fc.asyncProperty(someRounds, async (drawn) => {
      const rounds = await Promise.all(drawn.map((replies) => play(app, upstream, replies)));
      if (rounds.some(({ mistake }) => mistake?.startsWith('ALLOW although'))) throw new Error('noticed');
    }),
    { ...fuzzRun(t, 100), endOnFailure: true },
  );
  t.ok(result.failed);
});
