import fc from 'fast-check';
import t from 'tap';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { readRecordedInput } from '../../../src/domain/decision-log/recorded-input.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { RequestSignals } from '../../../src/domain/policy/request-signals.ts';
import type { FactRead } from '../../../src/domain/policy/subject-fact.ts';
import { FLAGS, judgedInputs, recordOf } from '../../support/judged-records.ts';
import { policyDocuments } from '../../support/policy-arbitraries.ts';
import { compiled, compiledIfCheap, documentOf, rule } from '../../support/policy-fixture.ts';

/** What the record says of the judgement, and what judging it again says. */
function again(policy: CompiledPolicy, record: DecisionRecord): readonly [string, string] {
  const { decision, reasons, waivers, degraded, rules } = record;
  const input = readRecordedInput(policy, record);
  if (!input.ok) return ['', input.mistakes.join()];
  const { evidence, request, facts } = input.value;
  const judged = evaluatePolicy(policy, evidence, request, facts);
  return [
    JSON.stringify([decision, reasons, waivers, degraded, rules]),
    JSON.stringify([judged.verdict, judged.reasons, judged.waivers, judged.degraded, judged.trace]),
  ];
}

const missing = (policy: CompiledPolicy, record: DecisionRecord) => {
  const input = readRecordedInput(policy, record);
  return input.ok ? [] : input.mistakes;
};

t.test('comes to the same verdict, reasons and trace from the record alone', async (t) => {
  let judged = 0;
  fc.assert(
    fc.property(policyDocuments(), judgedInputs(), (document, input) => {
      const policy = compiledIfCheap(document);
      if (policy === null) return true;
      judged += 1;
      const [told, found] = again(policy, recordOf(policy, input));
      return told === found;
    }),
    { numRuns: 2000, seed: 20260301 },
  );
  t.ok(judged > 1500, `${judged} were judged`);
});

t.test('names the identifiers that a rule reads and the request had', async (t) => {
  const given: RequestSignals = { ...FLAGS, ip: '203.0.113.9', account_id: 'a', user_agent: 'u' };
  for (const [when, names] of [
    ['request.ip == "203.0.113.9"', ['request.ip']],
    [
      'request["account_id"] == "a" || request.user_agent.contains("x")',
      ['request.account_id', 'request.user_agent'],
    ],
    ['in_network(request.ip, "203.0.113.0/24") && has(request.account_id)', ['request.ip']],
    [
      'cel.bind(r, request, r.device_id_given)',
      ['request.account_id', 'request.asn', 'request.country', 'request.ip', 'request.user_agent'],
    ],
    ['has(request.ip) && has(request.account_id) && has(request.user_agent) && !a.found', []],
    ['request.country == "DE" && !has(request.asn)', ['request.asn', 'request.country']],
    ['"a=b" in request.properties', []],
    ['has(request.properties)', []],
    ['request.action == "login"', []],
  ] as const) {
    const policy = compiled(documentOf([rule(when)]));
    t.same(missing(policy, recordOf(policy, { request: given })), names, when);
    t.same(missing(policy, recordOf(policy)), [], `${when}, where the request had none`);
    const [told, found] = again(policy, recordOf(policy));
    t.equal(told, found, when);
  }
});

t.test('properties that a caller by AuthZEN told are not recorded, nor whether there were any', async (t) => {
  for (const when of ['"a=b" in request.properties', 'has(request.properties)']) {
    const policy = compiled(documentOf([rule(when)]));
    const asked = { ...recordOf(policy), entry_point: 'authzen' };
    t.same(missing(policy, asked), ['request.properties'], when);
  }
});

t.test('tells given, absent and unreadable apart without their values', async (t) => {
  const policy = compiled(
    documentOf([
      rule('has(request.ip)', { id: 'ip' }),
      rule('!has(request.account_id)', { id: 'account' }),
      rule('has(request.user_agent) && b.found', { id: 'agent' }),
    ]),
  );
  for (const request of [FLAGS, { ...FLAGS, ip: 'x', account_id: 'a' }, { ...FLAGS, user_agent: 'u' }]) {
    const [told, found] = again(policy, recordOf(policy, { request }));
    t.equal(told, found);
  }
  const reading = compiled(documentOf([rule('request.ip == "203.0.113.9" || has(request.ip)')]));
  const record = recordOf(reading, { request: { ...FLAGS, ipUnreadable: true } });
  t.match(record.rules, [{ result: 'unknown', why: 'the IP address cannot be read' }]);
  const [told, found] = again(reading, record);
  t.equal(told, found);
});

t.test('takes an empty action for none', async (t) => {
  const policy = compiled(documentOf([rule('has(request.action)')]));
  const record = { ...recordOf(policy), action: '' };
  t.same(again(policy, record)[1], again(policy, recordOf(policy))[0]);
});

t.test('judges a record of before requests were kept by its own policy alone', async (t) => {
  const { request: _, ...record } = recordOf(compiled(documentOf([rule('!a.found')])));
  const own = compiled(documentOf([rule('!a.found')]));
  const [told, found] = again(own, record);
  t.equal(told, found);
  const other = { ...own, hash: 'sha256:other' };
  t.same(missing(other, record), ['a', 'b'], 'it has the signals that its own policy read');
  const lost = { ...record, providers: {}, subject: { ...record.subject, telemetry: null, devices: [] } };
  t.same(missing(other, lost), []);
  const read = readRecordedInput(other, lost);
  t.match(read, { ok: true, value: { request: { telemetry_id_present: false, device_id_given: false } } });
  for (const when of ['has(request.ip)', 'request.ip == "203.0.113.9"'])
    t.same(missing(compiled(documentOf([rule(when)])), record), ['request.ip'], when);
});

t.test('names what another policy reads and nobody asked for', async (t) => {
  const blind = compiled(documentOf([rule('!a.found')]));
  const seeing = {
    ...compiled(documentOf([rule('telemetry.bound_elsewhere || telemetry.expired')])),
    hash: 'sha256:other',
  };
  t.same(missing(seeing, recordOf(blind)), ['telemetry'], 'there was a telemetry id');
  const { subject, ...record } = recordOf(blind);
  t.same(missing(seeing, { ...record, subject: { ...subject, telemetry: null } }), []);
  t.same(missing(seeing, recordOf(blind, { custody: 'unknown' })), []);
  const custody = {
    uses: 1,
    age_seconds: 0,
    bound_elsewhere: false,
    omits_device: false,
    omits_account: false,
  };
  t.same(missing(seeing, recordOf(blind, { custody })), [], 'an expiry that was lost');
  const older = recordOf(blind, { custody });
  const reading = { ...compiled(documentOf([rule('telemetry.omits_device')])), hash: 'sha256:other' };
  const signals = { uses: 1, age_seconds: 0, bound_elsewhere: false };
  t.same(missing(reading, { ...older, custody: { result: 'first_use', signals } }), [
    'telemetry.omits_device',
  ]);
});

t.test('reads facts as they were recorded, and names those that were not', async (t) => {
  const fact = { name: 'activity.account', whole: [] } as unknown as FactRead['fact'];
  const read = { fact, paths: [['decisions_1h']] } as unknown as FactRead;
  const policy = { ...compiled(documentOf([rule('!a.found')])), facts: [read] };
  const record = recordOf(compiled(documentOf([rule('!a.found')])));
  t.same(missing(policy, record), ['activity.account']);
  const known = { ...record, activity: { account: { decisions_1h: 2 } } };
  t.match(readRecordedInput(policy, known), {
    ok: true,
    value: { facts: { 'activity.account': { decisions_1h: 2 } } },
  });
  for (const account of ['unknown', 'none'])
    t.same(missing({ ...policy, hash: 'sha256:other' }, { ...record, activity: { account } }), []);
  const less = { ...record, activity: { account: { decisions_7d: 2 } } };
  t.same(missing(policy, less), [], 'its own policy read it as unknown');
  t.same(missing({ ...policy, hash: 'sha256:other' }, less), ['activity.account.decisions_1h']);
});

t.test('takes a provider that the record does not name for one that was not asked', async (t) => {
  const policy = compiled(documentOf([rule('!a.found')]));
  const record = { ...recordOf(policy), providers: {} };
  t.match(readRecordedInput(policy, record), {
    ok: true,
    value: { evidence: [{ outcome: 'skipped', signals: null }, { outcome: 'skipped' }] },
  });
});

t.test('reads the step-up that satisfies a rule, which no condition reads', async (t) => {
  const policy = compiled(documentOf([rule('a.found', { verdict: 'CHALLENGE', step_up: '30m' })]));
  const step_up = { age_seconds: 60, method: 'otp', acr: '' };
  const read = (recorded: DecisionRecord['step_up']) =>
    readRecordedInput(policy, { ...recordOf(policy), step_up: recorded });
  t.match(read(step_up), { ok: true, value: { facts: { step_up } } });
  t.match(read('none'), { ok: true, value: { facts: { step_up: 'none' } } });
  t.match(read(null), { ok: false, mistakes: ['step_up'] });
});

t.test('reads no step-up as conditions do, whatever the policy of the day asked', async (t) => {
  const policy = compiled(documentOf([rule('step_up.age_seconds > 300')]));
  const input = readRecordedInput(policy, { ...recordOf(policy), step_up: 'none' });
  t.match(input, {
    ok: true,
    value: { facts: { step_up: { age_seconds: 2_147_483_647, method: '', acr: '' } } },
  });
  t.match(readRecordedInput(policy, { ...recordOf(policy), step_up: 'unknown' }), {
    ok: true,
    value: { facts: { step_up: 'unknown' } },
  });
});
