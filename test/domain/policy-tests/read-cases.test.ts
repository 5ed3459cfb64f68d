import t from 'tap';
import type { PolicyMistake } from '../../../src/domain/policy/document.ts';
import { judgeCases } from '../../../src/domain/policy-tests/judge-cases.ts';
import { policyFileOf, readCases } from '../../../src/domain/policy-tests/read-cases.ts';
import { seenActivity } from '../../../src/domain/policy-tests/seen-activity.ts';
import { seenContradictions } from '../../../src/domain/policy-tests/seen-contradictions.ts';
import { resolveSeconds } from '../../../src/domain/policy-tests/to-seconds.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const EVIDENCE = {
  a: { outcome: 'ok', signals: { found: true, action: 'ALLOW' } },
  b: { outcome: 'ok', signals: { found: true } },
};
const POLICY = compiled(
  documentOf(
    [
      rule('!a.found || !b.found', { id: 'not-found', reason: 'NOT_FOUND' }),
      rule('a.action == "BLOCK"', { id: 'blocks', reason: 'BLOCKS' }),
      rule('telemetry.age_seconds > 3600', { id: 'stale', reason: 'STALE', verdict: 'CHALLENGE' }),
      rule('activity.account.first_seen_seconds > 60', { id: 'seen', reason: 'SEEN', verdict: 'CHALLENGE' }),
      rule('lists.blocked.device', { id: 'listed', reason: 'LISTED' }),
      rule('contradictions.travel', { id: 'travel', reason: 'TRAVEL', verdict: 'CHALLENGE' }),
      rule('request.country == "AU" && a.score > 0.5', { id: 'far', reason: 'FAR', on_unknown: 'IGNORE' }),
      rule('a.asn == 7', {
        id: 'as',
        reason: 'AS',
        verdict: 'CHALLENGE',
        on_unknown: 'IGNORE',
        step_up: '30m',
      }),
    ],
    { lists: ['blocked'], events: [] },
  ),
);

function read(fields: Record<string, unknown>) {
  return readCases({ policy: 'p.yaml', evidence: EVIDENCE, ...fields }, POLICY, SPACE_PROVIDERS);
}

/** What one case comes to, as its verdict and reasons. */
function decide(fields: Record<string, unknown>, file: Record<string, unknown> = {}): string {
  const cases = read({ ...file, cases: [{ name: 'x', decision: 'ALLOW', ...fields }] });
  if (!cases.ok) return cases.mistakes.map(({ message }) => message).join('; ');
  const [judged] = judgeCases(POLICY, cases.value);
  const certain = judged?.judgement.reasons.filter((reason) => reason.certain) ?? [];
  return [judged?.judgement.verdict, ...certain.map(({ code }) => code)].join(' ');
}

function mistakesIn(fields: Record<string, unknown>): readonly string[] {
  const found = read(fields);
  return found.ok ? [] : found.mistakes.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

t.test('a case that says nothing is a first request of a subject that all providers know', async (t) => {
  t.equal(decide({}), 'ALLOW');
});

t.test('reads each part of what a case says', async (t) => {
  t.equal(decide({ given: { a: { outcome: 'not_found' } } }), 'BLOCK NOT_FOUND');
  t.equal(decide({ given: { b: { outcome: 'unsupported' } } }), 'ALLOW');
  t.equal(decide({ given: { a: { outcome: 'timeout', suspect: true } } }), 'CHALLENGE');
  t.equal(decide({ telemetry: 'unknown' }), 'CHALLENGE');
  t.equal(decide({ telemetry: { expired: 'lost' } }), 'ALLOW');
  t.equal(decide({ request: { telemetry_id_present: false }, telemetry: 'unknown' }), 'ALLOW');
  t.equal(decide({ activity: 'unknown' }), 'CHALLENGE');
  t.equal(decide({ activity: { account: 'none' } }), 'ALLOW');
  t.equal(decide({ activity: { account: { first_seen_seconds: 'lost', known_device: true } } }), 'CHALLENGE');
  t.equal(decide({ lists: { blocked: ['device'] } }), 'BLOCK LISTED');
  t.equal(decide({ lists: 'unknown' }), 'CHALLENGE');
  t.equal(decide({ contradictions: { travel: true } }), 'CHALLENGE TRAVEL');
  t.equal(decide({ contradictions: 'unknown' }), 'CHALLENGE');
  const asn = { a: { outcome: 'ok', signals: { found: true, action: 'ALLOW', asn: 7 } } };
  t.equal(decide({ given: asn }), 'CHALLENGE AS');
  t.equal(decide({ given: asn, step_up: {} }), 'ALLOW AS');
  t.equal(decide({ given: asn, step_up: 'unknown' }), 'CHALLENGE AS');
});

t.test('reads parts that are lost, totals and addresses that cannot be read', async (t) => {
  t.equal(decide({ telemetry: { age_seconds: 'lost' } }), 'CHALLENGE');
  t.equal(decide({ lists: { blocked: { device: 'lost' } } }), 'CHALLENGE');
  t.equal(decide({ lists: { blocked: { device: true, ip: false } } }), 'BLOCK LISTED');
  t.equal(decide({ contradictions: { travel: 'unknown' } }), 'CHALLENGE');
  t.equal(decide({ contradictions: { families: 3, count: 'lost', strongest: 'travel' } }), 'ALLOW');
  t.equal(decide({ request: { ip_unreadable: true } }), 'ALLOW');
  t.equal(decide({ request: { place_lost: true } }), 'ALLOW');
});

t.test('counts times and durations as seconds', async (t) => {
  const now = '2026-01-31T12:00:00Z';
  t.equal(decide({ telemetry: { age_seconds: 3601 } }), 'CHALLENGE STALE');
  t.equal(decide({ telemetry: { age_seconds: '1h' } }), 'ALLOW');
  t.equal(decide({ telemetry: { age_seconds: '2h' } }), 'CHALLENGE STALE');
  t.equal(decide({ telemetry: { age_seconds: '2026-01-31T10:59:00Z' } }, { now }), 'CHALLENGE STALE');
  t.equal(decide({ telemetry: { age_seconds: '2026-01-31T11:01:00Z' }, now }), 'ALLOW');
  t.equal(decide({ activity: { account: { first_seen_seconds: '2m' } } }), 'CHALLENGE SEEN');
  t.match(decide({ telemetry: { age_seconds: '2026-01-31T11:01:00Z' } }), /a time needs `now`/);
  t.match(decide({ telemetry: { age_seconds: '2026-01-31T12:01:00Z' }, now }), 'is a time after `now`');
  t.match(
    decide({ telemetry: { age_seconds: '2026-01-31T12:01:00' }, now }),
    /must be a time with its offset/,
  );
  t.match(
    decide({ telemetry: { age_seconds: '2026-99-31T12:01:00Z' }, now }),
    /must be a time with its offset/,
  );
  t.match(decide({ telemetry: { age_seconds: 'soon' } }), /must be a whole number and a unit/);
});

t.test('says of each mistake where it is, and what was meant', async (t) => {
  const good = { name: 'x', decision: 'ALLOW' };
  t.same(mistakesIn({ cases: [{ ...good, given: { a: { outcome: 'ok', signals: { fond: true } } } }] }), [
    'cases.0.given.a.signals.fond: unknown field "fond": did you mean "found"?',
  ]);
  t.same(mistakesIn({ cases: [{ ...good, telemetry: { ages_seconds: 1 } }] }), [
    'cases.0.telemetry.ages_seconds: unknown field "ages_seconds": did you mean "age_seconds"?',
  ]);
  t.same(mistakesIn({ cases: [{ ...good, activity: { account: { first_sen_seconds: 1 } } }] }), [
    'cases.0.activity.account.first_sen_seconds: unknown field "first_sen_seconds": did you mean "first_seen_seconds"?',
  ]);
  t.same(mistakesIn({ cases: [{ ...good, activity: { account: { known_device: 5, devices_1h: true } } }] }), [
    'cases.0.activity.account.known_device: must be true or false, or lost',
    'cases.0.activity.account.devices_1h: must be a number, or lost',
  ]);
  t.same(mistakesIn({ cases: [{ ...good, lists: { bloked: ['device'], trusted: [] } }] }), [
    'cases.0.lists.bloked: the policy has no list "bloked": did you mean "blocked"?',
    'cases.0.lists.trusted: the policy has no list "trusted"',
  ]);
  t.same(mistakesIn({ cases: [{ ...good, reasons: ['BLOKS', 'OTHER_THINGS'] }] }), [
    'cases.0.reasons.0: no rule has the reason BLOKS: did you mean BLOCKS?',
    'cases.0.reasons.1: no rule has the reason OTHER_THINGS',
  ]);
  t.same(mistakesIn({ cases: [good, good] }), ['cases.1.name: a case before it is named "x", too']);
  t.same(mistakesIn({}), [': there is no case']);
  t.same(mistakesIn({ evidence: { a: { outcome: 'ok' } }, cases: [good] }), [
    'evidence: the policy reads b: say how it ends',
  ]);
  t.match(mistakesIn({ cases: [{ ...good, decision: 'DENY' }] }), [/^cases.0.decision: must be one of/]);
});

t.test('says which policy a file is for', async (t) => {
  t.equal(policyFileOf({ policy: 'p.yaml' }), 'p.yaml');
  for (const document of [null, 'p.yaml', {}, { policy: 7 }, { policy: '' }])
    t.equal(policyFileOf(document), null);
});

t.test('says of a value of the wrong type where it is, in parts that may be of several kinds', async (t) => {
  const good = { name: 'x', decision: 'ALLOW' };
  t.same(mistakesIn({ cases: [{ ...good, telemetry: { uses: {} } }] }), [
    'cases.0.telemetry.uses: must be a number, not a mapping',
  ]);
  t.match(mistakesIn({ cases: [{ ...good, telemetry: 7 }] }), [/^cases\.0\.telemetry: must be /]);
  t.match(mistakesIn({ cases: [{ ...good, telemetry: { uses: 'x', agee: 1 }, nam: 1 }] }), [
    /uses/,
    /agee/,
    /nam/,
  ]);
  t.same(mistakesIn({ cases: [{ ...good, lists: { blocked: { devic: true } } }] }), [
    'cases.0.lists.blocked.devic: unknown field "devic": did you mean "device"?',
  ]);
  const matrix = [{ name: 'm', subjects: { s: { telemtry: 1 } }, situations: {}, decisions: 'ALLOW' }];
  t.same(mistakesIn({ matrix }), [
    'matrix.0.subjects.s.telemtry: unknown field "telemtry": did you mean "telemetry"?',
  ]);
});

t.test('counts times of every kind of signal in seconds', async (t) => {
  const mistakes: PolicyMistake[] = [];
  const nowMs = Date.parse('2026-01-31T12:00:00Z');
  const at = '2026-01-31T11:59:00Z';
  const signals = { at_unix_seconds: at, expires_in_seconds: at, age_seconds: at, other: at };
  t.same(resolveSeconds(signals, [], { nowMs, mistakes, isOurs: true }), {
    at_unix_seconds: nowMs / 1000 - 60,
    expires_in_seconds: -60,
    age_seconds: 60,
    other: at,
  });
  t.same(resolveSeconds({ age_seconds: '2026-01-31T12:01:00Z' }, [], { nowMs, mistakes, isOurs: false }), {
    age_seconds: -60,
  });
  t.same(mistakes, []);
});

t.test('refuses names of facts that there are not', async (t) => {
  t.throws(() => seenContradictions({ clok: true }), /no contradictions\.clok/);
  t.throws(() => seenActivity(POLICY, { device: { acounts_1h: 1 } }), /no activity\.device\.acounts_1h/);
});
