import t from 'tap';
import { judgeRecord } from '../../../src/domain/backtest/judge-record.ts';
import {
  type ClassWriter,
  classKeyOf,
  projectMember,
  toRecordClasses,
} from '../../../src/domain/backtest/record-classes.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { generateDecisions, recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const named = (policy: CompiledPolicy): CompiledPolicy => ({ ...policy, hash: 'sha256:candidate' });

/** Conditions whose parts tell values apart by literals alone. */
const PLAIN = [
  'a.asn > 5',
  'a.asn == 4 || b.asn < 3',
  'a.score >= 1.0 && !(b.score > 2.0)',
  '"X" in a.reasons',
  'a.action == "BLOCK"',
  'b.action in ["ALLOW", "BLOCK"]',
  'has(b.net) && b.net.country == "AU"',
  'providers.a.outcome == "ok" && a.found',
  'telemetry.uses > 1',
  'telemetry.age_seconds > 3600 || telemetry.expired',
  'request.action == "login"',
  'b.found ? a.asn > 1 : telemetry.bound_elsewhere',
];

function plainCandidates(): readonly CompiledPolicy[] {
  return PLAIN.map((when, place) => {
    const other = PLAIN[(place + 5) % PLAIN.length] ?? when;
    return compiled(
      documentOf([
        rule(when, { id: 'one', reason: 'ONE' }),
        rule(`(${other}) && a.found`, {
          id: 'two',
          reason: 'TWO',
          verdict: 'CHALLENGE',
          on_unknown: 'BLOCK',
        }),
      ]),
    );
  });
}

t.test('judges all records of a class alike, of generated policies and records', (t) => {
  const records = [...generateDecisions(30, 80, 20261130)].flatMap((one) => one.records);
  const generated = [...generateDecisions(20, 1, 4711)].map(({ policy }) => policy);
  const countClasses = (candidate: CompiledPolicy): number => {
    const told = toRecordClasses(candidate);
    const known = new Map<string, string>();
    for (const record of records) {
      const key = classKeyOf(told, record);
      const outcome = JSON.stringify(judgeRecord(candidate, record, null));
      const first = known.get(key);
      if (first === undefined) known.set(key, outcome);
      else if (first !== outcome) t.fail(`${key}\n${first}\n${outcome}\n${JSON.stringify(record)}`);
    }
    return known.size;
  };
  const all = records.length;
  t.ok(all > 2_000, `${all} records`);
  for (const candidate of generated.map(named)) t.ok(countClasses(candidate) <= all);
  const sizes = plainCandidates().map((candidate) => countClasses(named(candidate)));
  t.ok(Math.min(...sizes) * 2 < all, `${sizes.join(' ')} classes`);
  t.end();
});

t.test('projects one member, and nothing of what is not read', async (t) => {
  const policy = compiled(documentOf([rule('a.asn > 5 && request.action == "login" && telemetry.uses > 1')]));
  const classes = toRecordClasses(policy);
  const record: Readonly<Record<string, unknown>> = { ...recordOf(policy), action: 'login' };
  const writer: ClassWriter = {
    value: (value, classOf) => (classOf === null ? value : classOf(value)),
    signals: (signals) => signals,
  };
  const project = (name: string, value = record[name]) => projectMember(classes, name, value, writer);
  t.equal(project('action'), 'login');
  t.equal(project('action', 'logout'), project('action', 'other'));
  t.equal(project('rules', []), true);
  t.equal(project('rules', [{}]), false);
  t.equal(project('policy'), policy.hash);
  t.not(
    JSON.stringify(project('custody')),
    JSON.stringify(project('custody', { result: 'lost', signals: null })),
  );
  for (const name of ['latency_ms', 'decision_id', 'toString', '__proto__', ''])
    t.equal(project(name), undefined, `${name} is not read`);
});

/** The keys of records with these signals of `a`, by a policy with one rule. */
function keysOf(when: string, signals: readonly Record<string, unknown>[]): readonly string[] {
  const policy = compiled(documentOf([rule(when)]));
  const classes = toRecordClasses(policy);
  return signals.map((each) => classKeyOf(classes, recordOf(policy, { evidence: [ok(each), ok()] })));
}

/** How many of them are different. */
const countOf = (...given: Parameters<typeof keysOf>) => new Set(keysOf(...given)).size;

t.test('tells numbers apart by the literals that they are compared with', async (t) => {
  const numbers = [1, 4, 5, 5.5, 6, 9, 10, 11].map((score) => ({ score }));
  t.equal(countOf('a.score > 5.0 && a.score < 10.0', numbers), 6, 'a fraction is of another type');
  t.equal(countOf('a.score * 2.0 > 5.0', numbers), 8, 'arithmetic tells all of them apart');
  t.equal(countOf('a.score > b.score', numbers), 8, 'so does another signal');
  t.equal(countOf('has(a.score)', [...numbers, {}]), 3, 'whether it is there, and whole');
  t.equal(countOf('a.found', numbers), 1, 'it is not read');
});

t.test('tells texts and lists apart by those that are looked for', async (t) => {
  const texts = ['BLOCK', 'ALLOW', 'x', 'y', '0'].map((action) => ({ action }));
  t.equal(countOf('a.action == "BLOCK" || a.action in ["ALLOW"]', texts), 3);
  t.equal(countOf('a.action.startsWith("A")', texts), 5);
  const lists = [[], ['X'], ['Y', 'X'], ['X', 'Y'], ['Z']].map((reasons) => ({ reasons }));
  t.equal(countOf('"X" in a.reasons', lists), 2);
  t.equal(countOf('a.reasons.exists(r, r == "X")', lists), 5);
  const nested = [
    {},
    { net: {} },
    { net: { country: 'AU' } },
    { net: { country: 'DE' } },
    { net: { country: 'FR' } },
  ];
  t.equal(countOf('a.net.country == "AU"', nested), 4);
  t.equal(countOf('has(a.net)', nested), 2);
  t.equal(countOf('cel.bind(x, a, x.found)', nested), 5, 'as a whole');
});

t.test('tells requests, facts and step-ups apart', async (t) => {
  const keyOf = (policy: CompiledPolicy, changes: Partial<DecisionRecord>) =>
    classKeyOf(toRecordClasses(policy), { ...recordOf(policy), ...changes });
  const action = compiled(documentOf([rule('request.action == "login"')]));
  t.equal(keyOf(action, { action: 'x' }), keyOf(action, { action: 'y' }));
  t.not(keyOf(action, { action: 'x' }), keyOf(action, { action: null }));
  const whole = compiled(documentOf([rule('cel.bind(r, request, r.device_id_given)')]));
  t.not(keyOf(whole, { action: 'x' }), keyOf(whole, { action: 'y' }));
  const plain = compiled(documentOf([rule('!a.found')]));
  t.equal(keyOf(plain, { action: 'x' }), keyOf(plain, { action: null }));
  t.not(keyOf(plain, { rules: [] }), keyOf(plain, {}));
  const stepping = compiled(documentOf([rule('a.found', { verdict: 'CHALLENGE', step_up: '5m' })]));
  const stepUp = (age_seconds: number, acr = '') => ({ step_up: { age_seconds, method: '', acr } });
  t.equal(keyOf(stepping, stepUp(10)), keyOf(stepping, stepUp(299)));
  t.not(keyOf(stepping, stepUp(299)), keyOf(stepping, stepUp(300)));
  t.not(keyOf(stepping, stepUp(10)), keyOf(stepping, stepUp(10, 'high')));
  const both = compiled(
    documentOf([rule('a.found && step_up.age_seconds < 60', { verdict: 'CHALLENGE', step_up: '5m' })]),
  );
  t.not(keyOf(both, stepUp(10)), keyOf(both, stepUp(100)));
  t.not(keyOf(both, stepUp(100)), keyOf(both, stepUp(400)));
  const active = compiled(documentOf([rule('activity.account.decisions_1h > 3')]));
  const activity = (account: unknown) => ({ activity: { account } }) as Partial<DecisionRecord>;
  t.equal(
    keyOf(active, activity({ decisions_1h: 1, decisions_7d: 5 })),
    keyOf(active, activity({ decisions_1h: 2 })),
  );
  t.not(keyOf(active, activity({ decisions_1h: 1 })), keyOf(active, activity({})));
  t.not(keyOf(active, activity('none')), keyOf(active, activity('unknown')));
  const sharing = compiled(documentOf([rule('shared.account.session_revoked_seconds < 60')]));
  const heard = (seconds: number) => ({ shared: { account: { session_revoked_seconds: seconds } } });
  t.equal(keyOf(sharing, heard(70)), keyOf(sharing, heard(80)));
  t.not(keyOf(sharing, heard(10)), keyOf(sharing, heard(70)));
  const contradicted = compiled(documentOf([rule('contradictions.count > 1')]));
  const told = (because: object, count = 1) =>
    ({ contradictions: { count, because } }) as Partial<DecisionRecord>;
  t.equal(
    keyOf(contradicted, told({ a: 1 })),
    keyOf(contradicted, told({ a: 2 })),
    'the working is not read',
  );
  t.not(keyOf(contradicted, told({})), keyOf(contradicted, told({}, 2)));
  t.not(keyOf(contradicted, { contradictions: 'unknown' }), keyOf(contradicted, { contradictions: null }));
});

t.test('tells callers by AuthZEN apart where what they alone tell is read', async (t) => {
  const policy = compiled(documentOf([rule('"subject.role=admin" in request.properties')]));
  const records = ['decide', 'authzen', 'nginx'].map((entry_point) => ({ ...recordOf(policy), entry_point }));
  const outcomes = records.map((record) => judgeRecord(named(policy), record, null).kind);
  t.same(outcomes, ['judged', 'not_replayable', 'judged']);
  const [decide, authzen, nginx] = records.map((record) => classKeyOf(toRecordClasses(policy), record));
  t.not(decide, authzen);
  t.equal(decide, nginx);
});
