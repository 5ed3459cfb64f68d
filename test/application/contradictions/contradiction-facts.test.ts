import t from 'tap';
import { createContradictionFacts } from '../../../src/application/contradictions/contradiction-facts.ts';
import type { Gathered } from '../../../src/application/evidence/gather-evidence.ts';
import type { ReferenceData } from '../../../src/domain/contradictions/reference-data.ts';
import type { Outcome } from '../../../src/domain/evidence.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';
import { SMALL_WORLD } from '../../support/reference-data.ts';

const NOW_MS = 1_800_000_000_000;
const NOW_SECONDS = NOW_MS / 1000;
const SUBJECT: Subject = { telemetryId: 't', device: { kind: 'shared', id: 'd' }, ip: '203.0.113.9' };
const POLICY = compiled(documentOf([rule('contradictions.count >= 2')]));
const STYTCH = { found: true, country: 'US', created_at_unix_seconds: NOW_SECONDS - 60 };

interface Options {
  readonly outcome?: Outcome;
  readonly isSuspect?: boolean;
  readonly origin?: Gathered['origin'];
}

/** As Stytch's answers are presented: with what comparing them with the request gives. */
function present(signals: object, _nowMs: number, { userAgent }: Pick<Subject, 'userAgent'>) {
  const seen: unknown = Reflect.get(signals, 'user_agent_hash');
  return seen === undefined || userAgent === undefined
    ? signals
    : { ...signals, user_agent_matches_request: seen === `hash of ${userAgent}` };
}

/** Evidence of one provider. */
function piece(
  id: string,
  signals: object | null,
  { outcome = 'ok', isSuspect = false, origin = 'miss' }: Options = {},
) {
  const slot = { id, subject: 'telemetry_id', source: { isSuspect: () => isSuspect, present } };
  return { slot, evidence: { provider: id, outcome, signals }, origin, latencyMs: 0 } as unknown as Gathered;
}

/** Which of the two had nothing to compare. */
function travelAndSession(told: SubjectFacts[string]) {
  const none: unknown = Reflect.get(Object(told), 'none');
  return ['travel', 'seen_elsewhere'].filter((id) => Array.isArray(none) && none.includes(id));
}

function createAsk(reference: ReferenceData = SMALL_WORLD, policy = POLICY) {
  const source = createContradictionFacts(reference);
  return (gathered: readonly Gathered[], facts: SubjectFacts = {}, subject = SUBJECT) => {
    const conclude = source.ask({ subject, policy, deadlineAtMs: 0 });
    if (conclude instanceof Promise) throw new Error('it is told at once');
    const told = conclude({ gathered, facts, nowMs: NOW_MS });
    if (told instanceof Promise) throw new Error('it is told at once');
    return told['contradictions'];
  };
}

t.test('compares the evidence with the address of the request', async (t) => {
  t.match(createAsk()([piece('stytch', STYTCH)]), {
    seen_elsewhere: true,
    because: { seen_elsewhere: { stytch_country: 'US', request_country: 'DE' } },
  });
});

t.test('compares the network that Stytch names, and the browser that it saw, with the request', async (t) => {
  const ask = createAsk({ ...SMALL_WORLD, placeOfAddress: () => null });
  const saw = (network: string, userAgent?: string) => [
    piece('stytch', {
      found: true,
      network,
      ...(userAgent !== undefined && { user_agent_hash: `hash of ${userAgent}` }),
    }),
  ];
  t.match(ask(saw('203.0.113.0/24')), { seen_elsewhere: false });
  t.match(ask(saw('198.51.100.0/24')), {
    seen_elsewhere: true,
    because: { seen_elsewhere: { stytch_network: '198.51.100.0/24', request_in_network: false } },
  });
  t.same(travelAndSession(ask(saw('2001:db8::/32'))).at(-1), 'seen_elsewhere', 'of another kind');
  const request = { ...SUBJECT, userAgent: 'Chrome on Android' };
  t.match(ask(saw('203.0.113.0/24', 'Chrome on Android'), {}, request), { seen_elsewhere: false });
  t.match(ask(saw('203.0.113.0/24', 'Chrome on Windows'), {}, request), {
    because: { seen_elsewhere: { request_user_agent: 'Chrome', user_agent_matches_request: false } },
  });
});

t.test('takes evidence that is lost or in doubt as unknown, and what was not asked as none', async (t) => {
  const ask = createAsk();
  const between = { count: { least: 0 } };
  t.match(ask([piece('stytch', null, { outcome: 'timeout' })]), { between });
  const doubted = { outcome: 'not_found', isSuspect: true } as const;
  t.match(ask([piece('stytch', { found: false }, doubted)]), { between });
  const missing = { ...doubted, origin: 'none' } as const;
  for (const certain of [
    [piece('stytch', { found: false }, missing)],
    [piece('stytch', { found: false }, { outcome: 'not_found' })],
    [piece('stytch', null, { outcome: 'skipped' })],
    [],
  ])
    t.match(ask(certain, { telemetry: 'none', 'places.account': 'none', 'uses.hardware': 'none' }), {
      count: 0,
    });
});

t.test('tells the address that cannot be read from one that is not given', async (t) => {
  const ask = createAsk();
  const { ip: _ip, ...without } = SUBJECT;
  const facts: SubjectFacts = { 'places.account': 'none' };
  t.same(travelAndSession(ask([piece('stytch', STYTCH)], facts, without)), ['travel', 'seen_elsewhere']);
  const unreadable: Subject = { ...without, ipUnreadable: 'malformed' };
  const told = ask([piece('stytch', STYTCH)], facts, unreadable);
  t.same(travelAndSession(told), ['travel']);
  t.match(told, { between: {} });
});

t.test('knows what other facts tell: custody and the places of the account', async (t) => {
  const ask = createAsk();
  const stytch = piece('stytch', { found: true, created_at_unix_seconds: NOW_SECONDS - 60 });
  const places = [{ latitude: 40.7, longitude: -74, atSeconds: NOW_SECONDS - 3600 }];
  const facts = {
    telemetry: { age_seconds: 900 },
    'places.account': { places },
    'uses.hardware': { devices_remembered: 1, accounts_remembered: 5 },
  } as unknown as SubjectFacts;
  t.match(ask([stytch], facts), {
    travel: true,
    clock: true,
    identity_reuse: false,
    families: 2,
    count: 2,
    strongest: 'travel',
  });
  // A later place may be missing: an hour ago the account may have been here.
  const missing = { ...facts, 'places.account': { places, missedUntilSeconds: NOW_SECONDS - 1 } };
  t.notMatch(ask([stytch], missing as unknown as SubjectFacts), { travel: true });
  const nobody = {
    telemetry: 'none',
    'places.account': { places: [] },
    'uses.hardware': 'unknown',
  } as unknown as SubjectFacts;
  t.match(ask([stytch], nobody), { clock: false });
  t.same(travelAndSession(ask([stytch], nobody)), ['travel', 'seen_elsewhere']);
});

t.test('compares nothing with an address that could not be looked up', async (t) => {
  const told = createAsk({ ...SMALL_WORLD, placeOfAddress: () => 'lost' })([piece('stytch', STYTCH)]);
  t.match(told, { between: {} });
  t.notHas(Object(told), 'seen_elsewhere');
  t.notOk(travelAndSession(told).includes('seen_elsewhere'), 'it is unknown, and not nothing to compare');
});

t.test('looks again where the places of addresses have changed', async (t) => {
  let edition = 1;
  const country = () => (edition === 1 ? 'US' : 'DE');
  const ask = createAsk({
    ...SMALL_WORLD,
    placeOfAddress: () => ({ country: country() }),
    placesEdition: () => edition,
  });
  const gathered = [piece('stytch', STYTCH)];
  t.match(ask(gathered), { seen_elsewhere: false });
  edition = 2;
  t.match(ask(gathered), { seen_elsewhere: true });
});

t.test('looks once for what depends on evidence and request alone', async (t) => {
  let lookups = 0;
  const counting: ReferenceData = {
    ...SMALL_WORLD,
    placeOfAddress: (ip) => {
      lookups += 1;
      return SMALL_WORLD.placeOfAddress(ip);
    },
  };
  const ask = createAsk(counting);
  const gathered = [piece('stytch', STYTCH), piece('prefactor', { found: true })];
  const first = ask(gathered);
  t.same(ask(gathered), first);
  t.equal(lookups, 1);
  t.match(ask([piece('stytch', STYTCH), piece('prefactor', { found: true })]), first, 'another object');
  t.equal(lookups, 2);
  t.match(
    ask(gathered, {}, { ...SUBJECT, ip: '192.0.2.1' }),
    { seen_elsewhere: undefined },
    'another address',
  );
  t.match(
    ask(gathered, {}, { ...SUBJECT, userAgent: 'Firefox' }),
    { seen_elsewhere: true },
    'another client',
  );
  t.match(ask([piece('stytch', STYTCH), piece('prefactor', null, { outcome: 'timeout' })]), {
    seen_elsewhere: true,
  });
  t.equal(lookups, 5);
});

t.test('tells the same evidence at another time as if for the first time', async (t) => {
  const told = (ask: ReturnType<typeof createAsk>, gathered: readonly Gathered[], facts: object) =>
    ask(gathered, facts as SubjectFacts);
  const hour = 3600;
  const at = (latitude: number, hoursAgo: number) => ({
    'places.account': { places: [{ latitude, longitude: -74, atSeconds: NOW_SECONDS - hoursAgo * hour }] },
    'uses.hardware': { devices_30d: 1, accounts_30d: 1 },
    telemetry: { age_seconds: 900 },
  });
  const seen = { latitude: 41, longitude: -74, at_unix_seconds: NOW_SECONDS - hour, country: 'US' };
  const gathered = [
    piece('stytch', { found: true, created_at_unix_seconds: NOW_SECONDS - 1000 }),
    piece('prefactor', { found: true, last_seen: seen }),
  ];
  const ask = createAsk({ ...SMALL_WORLD, placeOfAddress: () => null });
  told(ask, gathered, at(40.7, 5));
  for (const [latitude, hours] of [
    [40.7, 6],
    [-30, 2],
    [40.7, 7],
    [40.7, 5],
  ] as const) {
    const again = told(ask, gathered, at(latitude, hours));
    const fresh = told(
      createAsk({ ...SMALL_WORLD, placeOfAddress: () => null }),
      gathered,
      at(latitude, hours),
    );
    t.same(again, fresh, `${latitude} before ${hours} hours`);
  }
  t.match(told(ask, gathered, at(-30, 2)), { travel: true });
  const lost = { ...at(40.7, 5), 'places.account': 'unknown' };
  const fresh = told(createAsk({ ...SMALL_WORLD, placeOfAddress: () => null }), gathered, lost);
  t.same(told(ask, gathered, lost), fresh, 'and where memory is lost');
});

t.test('forgets with the policy', async (t) => {
  const source = createContradictionFacts(SMALL_WORLD);
  const tell = (policy: typeof POLICY) => {
    const conclude = source.ask({ subject: SUBJECT, policy, deadlineAtMs: 0 });
    if (conclude instanceof Promise) throw new Error('it is told at once');
    return conclude({ gathered: [piece('stytch', STYTCH)], facts: {}, nowMs: NOW_MS });
  };
  const own = compiled(documentOf([rule('contradictions.clock')]));
  t.match(tell(POLICY), { contradictions: { seen_elsewhere: true } });
  t.notMatch(tell(own), { contradictions: { seen_elsewhere: true } });
});
