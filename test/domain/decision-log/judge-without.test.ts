import t from 'tap';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { judgeWithout } from '../../../src/domain/decision-log/judge-without.ts';
import type { PolicyProvider } from '../../../src/domain/policy/cel-environment.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../../src/domain/policy/evidence-row.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import type { TelemetryCustody } from '../../../src/domain/policy/telemetry-signals.ts';
import {
  type GivenContradictions,
  seenContradictions,
} from '../../../src/domain/policy-tests/seen-contradictions.ts';
import { createDecisionRecord } from '../../support/decision-records.ts';
import {
  COMPILE_OPTIONS,
  compiled,
  documentOf,
  NOT_FOUND,
  ok,
  rule,
  SKIPPED,
  TIMEOUT,
} from '../../support/policy-fixture.ts';

const REQUEST = {
  telemetry_id_present: true,
  device_id_present: true,
  device_id_given: true,
  action: 'login',
};

/** The record of what a policy says of some evidence. */
function recordOf(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  custody: TelemetryCustody = 'none',
  contradictions: DecisionRecord['contradictions'] = null,
): DecisionRecord {
  const judged = evaluatePolicy(policy, evidence, REQUEST, {
    telemetry: custody,
    ...(contradictions && { contradictions: contradictions as SubjectFacts[string] }),
  });
  const use = { cache: 'miss', cache_level: null, latency_ms: 1, age_ms: 0, request_id: null } as const;
  const providers = policy.providerIds.map((id, place) => {
    const { outcome = 'skipped', signals = null, suspect = false } = evidence[place] ?? {};
    return [id, { ...use, outcome: outcome as 'ok', signals, suspect }];
  });
  return createDecisionRecord(0, 0, {
    decision: judged.verdict,
    contradictions,
    rules: judged.trace,
    providers: Object.fromEntries(providers),
    custody:
      typeof custody === 'object'
        ? { result: 'repeated', signals: custody }
        : { result: custody, signals: null },
  });
}

const short = (policy: CompiledPolicy, record: DecisionRecord, telemetry: readonly string[] = ['a']) => {
  const { why, providers } = judgeWithout(policy, record, telemetry);
  return [why, ...providers.map(({ provider, decision, changes }) => `${provider} ${decision} ${changes}`)];
};

t.test('says what each provider changed', async (t) => {
  const policy = compiled(
    documentOf([
      rule('!a.found', { id: 'a-missing', verdict: 'BLOCK', reason: 'A' }),
      rule('has(b.score) && b.score > 1.0', {
        id: 'b-high',
        verdict: 'CHALLENGE',
        reason: 'B',
        on_unknown: 'IGNORE',
      }),
    ]),
  );
  const clean = recordOf(policy, [ok(), ok({ score: 0.5 })]);
  t.same(short(policy, clean), [null, 'a CHALLENGE true', 'b ALLOW false']);
  const blocked = recordOf(policy, [NOT_FOUND, ok({ score: 2 })]);
  t.same(short(policy, blocked), [null, 'a CHALLENGE true', 'b BLOCK false']);
  const [first] = judgeWithout(policy, blocked, []).providers;
  t.match(first?.reasons, [
    { code: 'B', certain: true },
    { code: 'A', certain: false },
  ]);
});

t.test('takes for unknown what contradicted the answer of a provider that is left out', async (t) => {
  const ids = ['stytch', 'mobilerun', 'prefactor'];
  const compile = (...whens: readonly string[]) => {
    const rules = whens.map((when, place) => rule(when, { id: `rule-${place}`, verdict: 'BLOCK' }));
    const providers = ids.map((id) => ({ ...COMPILE_OPTIONS.providers[0], id }) as PolicyProvider);
    const result = compilePolicy(documentOf([...rules]), { ...COMPILE_OPTIONS, providers });
    if (!result.ok) throw new Error(JSON.stringify(result.mistakes));
    return result.value;
  };
  const decisions = (policy: CompiledPolicy, found: GivenContradictions) => {
    const { contradictions } = seenContradictions(found);
    const record = recordOf(
      policy,
      [ok(), ok(), ok()],
      'none',
      contradictions as DecisionRecord['contradictions'],
    );
    return short(policy, record, []);
  };
  const one = compile('contradictions.time_zone_country');
  t.same(decisions(one, { time_zone_country: true }), [
    null,
    'stytch CHALLENGE true',
    'mobilerun CHALLENGE true',
    'prefactor CHALLENGE true',
  ]);
  const tls = compile('contradictions.tls_client');
  t.same(decisions(tls, { tls_client: true }), [
    null,
    'stytch BLOCK false',
    'mobilerun BLOCK false',
    'prefactor CHALLENGE true',
  ]);
  t.same(
    decisions(tls, { tls_client: false }).at(-1),
    'prefactor CHALLENGE true',
    'false is no proof either',
  );
  const reuse = compile('contradictions.identity_reuse');
  t.match(decisions(reuse, { identity_reuse: true }), [null, /BLOCK/, 'mobilerun CHALLENGE true', /BLOCK/]);
  const count = compile('contradictions.count >= 2');
  t.same(decisions(count, { identity_shape: true, tls_client: true, travel: false }), [
    null,
    'stytch BLOCK false',
    'mobilerun CHALLENGE true',
    'prefactor CHALLENGE true',
  ]);
  const { contradictions } = seenContradictions({ tls_client: true });
  const lost = recordOf(
    tls,
    [ok(), ok(), TIMEOUT],
    'none',
    contradictions as DecisionRecord['contradictions'],
  );
  t.match(short(tls, lost, []).at(-1), 'prefactor BLOCK false', 'lost evidence cannot be left out');
  const odd = recordOf(tls, [ok(), ok(), ok()], 'none', { tls_client: 'x', none: 7, between: 7 } as never);
  t.match(short(tls, odd, []), [null, /CHALLENGE/, /CHALLENGE/, /CHALLENGE/], 'of any shape');
});

t.test(
  'changes nothing for a provider that was lost anyway, and leaves out one that was not asked',
  async (t) => {
    const policy = compiled(documentOf([rule('!a.found'), rule('!b.found', { id: 'second' })]));
    t.same(short(policy, recordOf(policy, [TIMEOUT, ok()])), [
      null,
      'a CHALLENGE false',
      'b CHALLENGE false',
    ]);
    t.same(short(policy, recordOf(policy, [ok(), SKIPPED])), [null, 'a CHALLENGE true']);
    const withoutB = recordOf(policy, [ok(), SKIPPED]);
    const { b: _, ...providers } = withoutB.providers;
    t.same(
      short(policy, { ...withoutB, providers }),
      [null, 'a CHALLENGE true'],
      'nor one that was not there',
    );
  },
);

t.test('takes with a provider of telemetry ids that the id has not expired', async (t) => {
  const policy = compiled(documentOf([rule('telemetry.expired'), rule('!b.found', { id: 'b' })]));
  const custody = {
    uses: 2,
    age_seconds: 5,
    bound_elsewhere: false,
    omits_device: false,
    omits_account: false,
  };
  const live = recordOf(policy, [ok(), ok()], { ...custody, expired: false });
  t.same(short(policy, live), [null, 'a CHALLENGE true', 'b CHALLENGE true']);
  t.same(short(policy, live, []), [null, 'a ALLOW false', 'b CHALLENGE true']);
  const expired = recordOf(policy, [ok(), ok()], { ...custody, expired: true });
  t.same(
    short(policy, expired),
    [null, 'a BLOCK false', 'b BLOCK false'],
    'the binding remembers that it has',
  );
  const unknown = recordOf(policy, [ok(), ok()], 'unknown');
  t.same(short(policy, unknown), [null, 'a CHALLENGE false', 'b CHALLENGE false']);
});

t.test('takes for unknown what lists say of what the answer told', async (t) => {
  const decisions = (when: string, lists: DecisionRecord['lists']) => {
    const policy = compiled(documentOf([rule(when, { verdict: 'BLOCK' })], { lists: ['blocked'] }));
    const facts = { lists: lists as unknown as SubjectFacts[string] };
    const judged = evaluatePolicy(policy, [ok(), ok()], REQUEST, facts);
    const record = recordOf(policy, [ok(), ok()]);
    return short(policy, { ...record, decision: judged.verdict, rules: judged.trace, lists });
  };
  const listed = { blocked: { visitor: true, device: false }, entries: ['blocked/visitor:1'] } as const;
  t.same(decisions('lists.blocked.visitor', listed), [null, 'a CHALLENGE true', 'b BLOCK false']);
  const clean = { blocked: { visitor: false, device: false } };
  t.same(
    decisions('lists.blocked.visitor', clean),
    [null, 'a CHALLENGE true', 'b ALLOW false'],
    'false is no proof either',
  );
  t.same(decisions('lists.blocked.device', clean), [null, 'a ALLOW false', 'b ALLOW false']);
});

t.test('says nothing where the record cannot say it', async (t) => {
  const policy = compiled(documentOf([rule('!a.found || request["ip"] == "203.0.113.9"')]));
  t.same(short(policy, recordOf(policy, [ok(), ok()])), ['request.ip: not recorded']);
  const plain = compiled(
    documentOf([
      rule('!a.found && request.action == "login" && request . device_id_present && request.device_id_given'),
    ]),
  );
  const record = recordOf(plain, [ok(), ok()]);
  t.equal(short(plain, record)[0], null);
  const changes: readonly Partial<DecisionRecord>[] = [
    { decision: 'BLOCK' },
    { rules: [] },
    { rules: [{ rule: 'the-rule', result: 'true' }] },
    { rules: [{ rule: 'another', result: 'false' }] },
  ];
  for (const change of changes)
    t.same(short(plain, { ...record, ...change }), ['the record does not come to its own decision']);
  const actionless = recordOf(compiled(documentOf([rule('a.found && request.action == "login"')])), [
    ok(),
    ok(),
  ]);
  t.match(
    short(compiled(documentOf([rule('a.found && request.action == "login"')])), {
      ...actionless,
      action: null,
    }),
    [/own decision/],
  );
});
