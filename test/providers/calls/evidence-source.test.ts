import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { LookResult } from '../../../src/application/evidence/evidence-source.ts';
import type {
  EvidenceStore,
  StoredEvidence,
  StoreReading,
} from '../../../src/application/evidence/evidence-store.ts';
import type { ProviderAnswer } from '../../../src/application/evidence/provider-answer.ts';
import type { ProviderCallEvent } from '../../../src/application/observers.ts';
import type { Evidence } from '../../../src/domain/evidence.ts';
import type { HttpResult } from '../../../src/platform/http-client.ts';
import {
  createEvidenceSource,
  type EvidenceSourceOptions,
} from '../../../src/providers/calls/evidence-source.ts';
import { stytch } from '../../../src/providers/stytch/index.ts';
import { createMemoryEvidenceStore } from '../../../src/stores/evidence/memory-store.ts';
import { createManualClock, until } from '../../support/test-app.ts';

const RESPONSE: HttpResult = { kind: 'response', response: { status: 200, headers: {}, body: '' } };
const OK: ProviderAnswer = {
  outcome: 'ok',
  signals: { found: true },
  upstreamRequestId: 'request-1',
  validUntilMs: null,
};
const FAILED: ProviderAnswer = {
  outcome: 'unavailable',
  failure: 'http_503',
  upstreamRequestId: 'request-2',
  isRetryable: false,
  retryAfterMs: null,
};
const ANY = { maxAgeMs: null };

interface Exchange {
  answer(result?: HttpResult): void;
}

type OpenOptions = Partial<EvidenceSourceOptions> & { readonly toAnswer?: () => ProviderAnswer };

/** A source whose upstream answers when the test says so. */
function open(options: OpenOptions = {}) {
  const clock = createManualClock();
  const exchanges: Exchange[] = [];
  const events: ProviderCallEvent[] = [];
  const store = options.store ?? createMemoryEvidenceStore({ clock });
  const source = createEvidenceSource({
    definition: { ...stytch, toAnswer: options.toAnswer ?? (() => OK) },
    settings: { projectId: 'p', secret: 's', baseUrl: 'http://127.0.0.1' },
    budgetMs: 1_000,
    ttlMs: { ok: 60_000, not_found: 5_000 },
    client: {
      exchange: () => {
        const { promise, resolve } = Promise.withResolvers<HttpResult>();
        exchanges.push({ answer: (result = RESPONSE) => resolve(result) });
        return promise;
      },
      close: async () => {},
    },
    keyOf: (id) => `stytch:${id}`,
    olderKeysOf: (id) => [`stytch:older-${id}`],
    hash: (value) => value,
    clock,
    concurrencyMax: 128,
    queueMax: 1_024,
    observer: {
      onProviderCall: (event) => events.push(event),
      onCircuitChange: () => {},
      onSuspectChange: () => {},
    },
    random: () => 0,
    ...options,
    store,
  });
  return { source, clock, exchanges, events, store };
}

async function answerAll(
  exchanges: readonly Exchange[],
  looks: readonly (LookResult | Promise<LookResult>)[],
) {
  for (const exchange of exchanges) exchange.answer();
  return Promise.all(looks.map(async (look) => look));
}

t.test('answers in place once the evidence is in memory', async (t) => {
  const { source, exchanges, clock } = open();
  const look = source.look({ id: 'a' }, ANY);
  t.ok(look instanceof Promise);
  const [first] = await answerAll(exchanges, [look]);
  const nowMs = clock.nowMs();
  const evidence = {
    provider: 'stytch',
    outcome: 'ok',
    upstreamRequestId: 'request-1',
    observedAtMs: nowMs,
    signals: { found: true },
    expiresAtMs: nowMs + 60_000,
  };
  t.strictSame(first, { evidence, origin: 'miss' });
  t.strictSame(source.look({ id: 'a' }, ANY), { evidence, origin: 'memory' }, 'and not by a promise');
});

t.test('shares one call among those who ask meanwhile, and no longer', async (t) => {
  const { source, exchanges, events } = open({ ttlMs: {} });
  const looks = [1, 2, 3].map(() => source.look({ id: 'a' }, ANY));
  t.equal(exchanges.length, 1);
  const results = await answerAll(exchanges, looks);
  t.same(
    results.map(({ origin }) => origin),
    ['miss', 'shared', 'shared'],
  );
  t.equal(events.length, 1, 'it is one call to whoever counts');
  void source.look({ id: 'a' }, ANY);
  t.equal(exchanges.length, 2, 'a call that ended is not joined');
  exchanges[1]?.answer();
});

t.test('keeps ids apart', async (t) => {
  const { source, exchanges } = open();
  const looks = ['a', 'b', 'A'].map((id) => source.look({ id }, ANY));
  t.equal(exchanges.length, 3);
  await answerAll(exchanges, looks);
});

t.test('does not cache what is indefinite, and says why it failed', async (t) => {
  const { source, exchanges, events, store } = open({ toAnswer: () => FAILED });
  const [result] = await answerAll(exchanges, [source.look({ id: 'a' }, ANY)]);
  const expected = {
    outcome: 'unavailable',
    signals: null,
    expiresAtMs: null,
    upstreamRequestId: 'request-2',
  };
  t.match(result?.evidence, expected);
  t.match(events, [{ provider: 'stytch', outcome: 'unavailable', failure: 'http_503', attempts: 1 }]);
  t.equal(await store.get('stytch:a'), null);
  const look = source.look({ id: 'a' }, ANY);
  t.equal(exchanges.length, 2, 'the next one asks again');
  exchanges[1]?.answer();
  await look;
});

t.test('bounds the life of evidence by the provider, by its outcome and by jitter', async (t) => {
  const lifeMs = async (answer: ProviderAnswer, random: number, ttlMs: Record<string, number>) => {
    const { source, exchanges, clock } = open({ toAnswer: () => answer, random: () => random, ttlMs });
    const [result] = await answerAll(exchanges, [source.look({ id: 'a' }, ANY)]);
    return result?.evidence.expiresAtMs == null ? null : result.evidence.expiresAtMs - clock.nowMs();
  };
  t.equal(await lifeMs(OK, 0, { ok: 60_000 }), 60_000);
  t.equal(await lifeMs(OK, 0.999_999, { ok: 60_000 }), 54_000);
  t.equal(await lifeMs({ ...OK, outcome: 'not_found' }, 0, { ok: 60_000, not_found: 5_000 }), 5_000);
  t.equal(await lifeMs({ ...OK, outcome: 'unsupported' }, 0, { ok: 60_000 }), 0, 'without a time of its own');
  const soonMs = Date.now() + 1_000;
  t.ok(Math.abs(((await lifeMs({ ...OK, validUntilMs: soonMs }, 0, { ok: 60_000 })) ?? 0) - 1_000) < 900);
  const { source, exchanges, store } = open({ toAnswer: () => ({ ...OK, validUntilMs: 1 }) });
  await answerAll(exchanges, [source.look({ id: 'a' }, ANY)]);
  t.equal(await store.get('stytch:a'), null, 'an answer that was void from the start is not kept');
});

t.test('neither joins nor keeps a call that a purge has overtaken', async (t) => {
  const { source, exchanges, store } = open();
  const before = source.look({ id: 'a' }, ANY);
  await store.purge(['stytch:a']);
  const after = source.look({ id: 'a' }, ANY);
  t.equal(exchanges.length, 2);
  exchanges[0]?.answer();
  t.equal((await before).origin, 'miss');
  t.equal(await store.get('stytch:a'), null, 'the old answer is not kept');
  exchanges[1]?.answer();
  t.equal((await after).origin, 'miss');
  t.equal((await store.get('stytch:a'))?.evidence.outcome, 'ok', 'the new one is');
});

t.test('keeps a call that a purge of another id does not concern', async (t) => {
  const { source, exchanges, store } = open();
  const look = source.look({ id: 'a' }, ANY);
  await store.purge(['stytch:b']);
  await answerAll(exchanges, [look]);
  t.ok(await store.get('stytch:a'));
});

t.test('lets what an older call brings not replace what a younger one brought', async (t) => {
  const ids = ['first-answer', 'second-answer'];
  const toAnswer = (): ProviderAnswer => ({ ...OK, upstreamRequestId: ids.shift() ?? null });
  const { source, exchanges, clock, store } = open({ toAnswer });
  const older = source.look({ id: 'a' }, ANY);
  clock.advance(10);
  const younger = source.look({ id: 'a' }, { maxAgeMs: 0 });
  exchanges[1]?.answer();
  await younger;
  exchanges[0]?.answer();
  await older;
  t.equal((await store.get('stytch:a'))?.evidence.upstreamRequestId, 'first-answer');
});

t.test('serves nothing older after a definite answer that is not cached', async (t) => {
  const answers: ProviderAnswer[] = [OK, { ...OK, outcome: 'not_found', signals: { found: false } }];
  const toAnswer = (): ProviderAnswer => answers.shift() ?? OK;
  const { source, exchanges } = open({ toAnswer, ttlMs: { ok: 60_000, not_found: 0 } });
  await answerAll(exchanges, [source.look({ id: 'a' }, ANY)]);
  const [gone] = await answerAll(exchanges, [source.look({ id: 'a' }, { maxAgeMs: 0 })]);
  t.equal(gone?.evidence.outcome, 'not_found');
  const [next] = await answerAll(exchanges, [source.look({ id: 'a' }, ANY)]);
  t.equal(next?.origin, 'miss', 'it asks again');
});

t.test('joins a call only where it began recently enough', async (t) => {
  const { source, exchanges, clock } = open();
  const looks = [source.look({ id: 'a' }, ANY)];
  clock.advance(100);
  looks.push(source.look({ id: 'a' }, { maxAgeMs: 100 }));
  t.equal(exchanges.length, 1);
  looks.push(source.look({ id: 'a' }, { maxAgeMs: 99 }));
  t.equal(exchanges.length, 2);
  await answerAll(exchanges, looks);
});

t.test('joins a call however little of its time is left', async (t) => {
  const { source, exchanges, clock } = open();
  const looks = [source.look({ id: 'a' }, ANY)];
  clock.advance(999);
  looks.push(source.look({ id: 'a' }, ANY), source.look({ id: 'a' }, ANY));
  t.equal(exchanges.length, 1);
  await answerAll(exchanges, looks);
});

t.test('asks once more for those who joined late a call that ran out of time, and have time', async (t) => {
  const { source, exchanges, clock } = open();
  const first = source.look({ id: 'a' }, ANY);
  clock.advance(501);
  const late = [source.look({ id: 'a' }, ANY), source.look({ id: 'a' }, ANY)];
  const hasty = source.look({ id: 'a' }, { maxAgeMs: null, deadlineAtMs: clock.monotonicMs() + 100 });
  clock.advance(499);
  exchanges[0]?.answer({ kind: 'timeout' });
  t.equal((await first).evidence.outcome, 'timeout');
  t.equal((await hasty).evidence.outcome, 'timeout', 'whose own time is over');
  await until('it asks', () => exchanges.length === 2);
  exchanges[1]?.answer();
  const results = await Promise.all(late.map(async (look) => look));
  t.same(
    results.map(({ evidence, origin }) => `${evidence.outcome} ${origin}`),
    ['ok miss', 'ok shared'],
  );
  t.equal(exchanges.length, 2);
});

t.test('does not join a read that a purge has overtaken', async (t) => {
  const readings: PromiseWithResolvers<StoredEvidence | null>[] = [];
  const { source, exchanges, store } = openRemote(() => {
    const reading = Promise.withResolvers<StoredEvidence | null>();
    readings.push(reading);
    return reading.promise;
  });
  const before = source.look({ id: 'a' }, ANY);
  await store.purge(['stytch:a']);
  const after = source.look({ id: 'a' }, ANY);
  readings[0]?.resolve(createStored());
  readings[1]?.resolve(null);
  t.equal((await before).origin, 'redis');
  await until('it asks', () => exchanges.length === 1);
  exchanges[0]?.answer();
  t.equal((await after).origin, 'miss');
});

t.test('answers malformed where the code of a provider throws, and does not reject', async (t) => {
  const toAnswer = (): never => {
    throw new Error('a defect that quotes canary-payload');
  };
  const { source, exchanges, events } = open({ toAnswer });
  const [result] = await answerAll(exchanges, [source.look({ id: 'a' }, ANY)]);
  t.match(result?.evidence, { outcome: 'malformed', signals: null });
  t.match(events, [{ outcome: 'malformed', failure: 'provider_code_threw' }]);
  t.notMatch(JSON.stringify(events), /canary/);
});

t.test('makes no call for an id that no request can carry', async (t) => {
  const { source, exchanges, events } = open({ definition: { ...stytch, toRequest: () => null } });
  const { evidence } = await source.look({ id: '..' }, ANY);
  t.match(evidence, { outcome: 'not_found', signals: { found: false } });
  t.equal(exchanges.length, 0);
  t.match(events, [{ attempts: 0, failure: null }]);
});

t.test('reads a remote store once for those who ask meanwhile', async (t) => {
  await testRemote(t, null, ['miss', 'shared'], 1);
  await testRemote(t, createStored(), ['redis', 'redis'], 0);
});

t.test('asks when what the remote store has is too old for the caller', async (t) => {
  const stored = createStored(5_000);
  const { source, exchanges } = openRemote(() => Promise.resolve(stored));
  t.equal((await source.look({ id: 'a' }, { maxAgeMs: 6_000 })).origin, 'redis');
  const look = source.look({ id: 'a' }, { maxAgeMs: 1_000 });
  await new Promise(setImmediate);
  t.equal(exchanges.length, 1);
  exchanges[0]?.answer();
  t.equal((await look).origin, 'miss');
});

t.test('does not take evidence from the future for young', async (t) => {
  const stored = createStored(-3_600_000);
  const { source, exchanges } = openRemote(() => Promise.resolve(stored));
  const look = source.look({ id: 'a' }, { maxAgeMs: 1_000 });
  await new Promise(setImmediate);
  t.equal(exchanges.length, 1, 'a clock was set back since: nobody knows how old it is');
  exchanges[0]?.answer();
  t.equal((await look).origin, 'miss');
  t.equal((await source.look({ id: 'a' }, ANY)).origin, 'redis', 'who takes any age takes this one');
});

const ELSEWHERE = { claimant: 'another replica' };

/** A store in which another replica asks, until the test says how that ended. */
function openElsewhere(options: OpenOptions = {}) {
  let reading: StoreReading = ELSEWHERE;
  const claims: number[] = [];
  const opened = openRemote(
    () => Promise.resolve(null),
    (_key, claimMs) => {
      claims.push(claimMs);
      return Promise.resolve(reading);
    },
    options,
  );
  return {
    ...opened,
    claims,
    end: (how: StoreReading) => {
      reading = how;
    },
  };
}

t.test('waits for what another replica asks, and takes its answer', async (t) => {
  const { source, exchanges, claims, end } = openElsewhere();
  const looks = [1, 2, 3].map(() => source.look({ id: 'a' }, ANY));
  await delay(20);
  const stored = createStored();
  end(stored);
  const results = await Promise.all(looks.map(async (look) => look));
  t.same(
    results,
    Array.from({ length: 3 }, () => ({ evidence: stored.evidence, origin: 'shared' })),
  );
  t.equal(exchanges.length, 0);
  t.equal(claims[0], 1_000, 'a claim lasts as long as a call');
  t.ok(
    claims.slice(1).every((claimMs) => claimMs === 0),
    'and polls claim nothing',
  );
});

for (const [name, how] of [
  ['gives up, is purged or is lost', null],
  ['gives up and another one asks', { claimant: 'a third replica' }],
] as const) {
  t.test(`asks as soon as the other replica ${name}`, async (t) => {
    const { source, exchanges, end } = openElsewhere();
    const looks = [1, 2].map(() => source.look({ id: 'a' }, ANY));
    await delay(20);
    t.equal(exchanges.length, 0);
    end(how);
    await until('it asks', () => exchanges.length > 0);
    const results = await answerAll(exchanges, looks);
    t.equal(exchanges.length, 1, 'once for all who waited');
    t.same(
      results.map(({ origin }) => origin),
      ['miss', 'shared'],
    );
  });
}

t.test('asks when half of the time has passed, whoever else asks', async (t) => {
  const { source, exchanges, clock, end } = openElsewhere({ budgetMs: 10_000 });
  const hasty = source.look({ id: 'a' }, { maxAgeMs: null, deadlineAtMs: clock.monotonicMs() + 60 });
  const patient = source.look({ id: 'a' }, { maxAgeMs: null, deadlineAtMs: clock.monotonicMs() + 10_000 });
  const startedMs = performance.now();
  await until('it asks', () => exchanges.length > 0);
  t.ok(performance.now() - startedMs < 4_000, 'by the deadline of the caller, not of the provider');
  exchanges[0]?.answer();
  t.equal((await hasty).origin, 'miss');
  const isWaiting = Symbol('waiting');
  t.equal(await Promise.race([patient, delay(1, isWaiting)]), isWaiting, 'who has time goes on waiting');
  end(null);
  await until('it asks too', () => exchanges.length === 2);
  await answerAll(exchanges, [patient]);
});

t.test('asks at once when no time is left', async (t) => {
  const { source, exchanges, clock, end } = openElsewhere();
  const look = source.look({ id: 'a' }, { maxAgeMs: null, deadlineAtMs: clock.monotonicMs() - 5 });
  await until('it asks', () => exchanges.length > 0);
  const [result] = await answerAll(exchanges, [look]);
  t.equal(result?.origin, 'miss');
  end(null);
});

t.test('takes the answer of the other replica even after it began to ask as well', async (t) => {
  const { source, exchanges, clock, end } = openElsewhere();
  const look = source.look({ id: 'a' }, { maxAgeMs: null, deadlineAtMs: clock.monotonicMs() + 20 });
  await until('it asks', () => exchanges.length > 0);
  end(createStored());
  t.equal((await look).origin, 'shared');
});

t.test(
  'neither claims nor waits for a caller who wants young evidence, nor where nothing is cached',
  async (t) => {
    for (const [limits, ttlMs] of [
      [{ maxAgeMs: 0 }, { ok: 60_000 }],
      [{ maxAgeMs: 1_000 }, { ok: 60_000 }],
      [ANY, { ok: 0, not_found: 5_000 }],
    ] as const) {
      const { source, exchanges, claims } = openElsewhere({ ttlMs });
      const look = source.look({ id: 'a' }, limits);
      await until('it asks', () => exchanges.length > 0);
      const [result] = await answerAll(exchanges, [look]);
      t.equal(result?.origin, 'miss');
      t.same(claims, []);
    }
  },
);

t.test('claims nothing while the circuit refuses, and gives up a claim when it opens', async (t) => {
  const late = Promise.withResolvers<null>();
  const claimed: string[] = [];
  const { source, exchanges, released } = openRemote(
    () => Promise.resolve(null),
    (key) => {
      claimed.push(key);
      return key === 'stytch:late' ? late.promise : Promise.resolve(null);
    },
    { toAnswer: () => FAILED },
  );
  const ids = Array.from({ length: 10 }, (_, index) => `a${index}`);
  const looks = ids.map((id) => source.look({ id }, ANY));
  const lateLook = source.look({ id: 'late' }, ANY);
  await until('all ask', () => exchanges.length === ids.length);
  await answerAll(exchanges, looks);
  const refused = { origin: 'none', evidence: { outcome: 'circuit_open' } };
  late.resolve(null);
  t.match(await lateLook, refused);
  t.same(released, ['stytch:late']);
  t.match(await source.look({ id: 'b' }, ANY), refused);
  t.equal(claimed.length, ids.length + 1);
  t.equal(exchanges.length, ids.length);
});

async function testRemote(
  t: Test,
  stored: StoredEvidence | null,
  origins: readonly string[],
  calls: number,
): Promise<void> {
  let reads = 0;
  const { source, exchanges } = openRemote(() => {
    reads += 1;
    return Promise.resolve(stored);
  });
  const looks = origins.map(() => source.look({ id: 'a' }, ANY));
  await new Promise(setImmediate);
  t.equal(reads, 1);
  t.equal(exchanges.length, calls);
  const results = await answerAll(exchanges, looks);
  t.same(
    results.map(({ origin }) => origin),
    origins,
  );
}

function openRemote(
  get: () => Promise<StoredEvidence | null>,
  getOrClaim: EvidenceStore['getOrClaim'] = get,
  options: OpenOptions = {},
) {
  const released: string[] = [];
  const memory = createMemoryEvidenceStore({ clock: createManualClock() });
  const opened = open({
    ...options,
    store: {
      get,
      getOrClaim,
      release: (key) => released.push(key),
      set: (key, evidence) => memory.set(key, evidence),
      purge: (keys) => memory.purge(keys),
      onPurge: (listener) => memory.onPurge(listener),
    },
  });
  return { ...opened, released };
}

function createStored(ageMs = 0): StoredEvidence {
  const observedAtMs = Date.now() - ageMs;
  const evidence: Evidence = {
    provider: 'stytch',
    outcome: 'ok',
    signals: { found: true },
    observedAtMs,
    expiresAtMs: observedAtMs + 60_000,
    upstreamRequestId: null,
  };
  return { evidence, level: 'redis' };
}

t.test('hashes what the request tells as its answers were, to compare them', async (t) => {
  const { source } = open();
  const stored = {
    found: true,
    created_at_unix_seconds: 0,
    expires_at_unix_seconds: 9,
    ip_hash: '192.0.2.1',
  };
  const signals = source.present(stored, 0, { ip: '192.0.2.1', userAgent: 'agent' });
  t.match(signals, { ip_matches_request: true, user_agent_matches_request: undefined });
});
