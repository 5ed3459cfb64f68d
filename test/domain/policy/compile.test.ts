import t from 'tap';
import { createRunEnvironment } from '../../../src/domain/policy/cel-environment.ts';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { COMPILE_OPTIONS, compiled, documentOf, rule } from '../../support/policy-fixture.ts';

/** Every mistake of a document, as `path offset message`. */
function mistakesIn(document: unknown): string[] {
  const result = compilePolicy(document, COMPILE_OPTIONS);
  if (result.ok) return [];
  return result.mistakes.map(({ path, offset, message }) => `${path.join('.')} ${offset} ${message}`);
}

function mistakesOf(when: string, fields: Record<string, unknown> = {}): string[] {
  return mistakesIn(documentOf([rule(when, fields)]));
}

t.test('compiles a good policy and fills in defaults', async (t) => {
  const policy = compiled(
    documentOf([rule('!a.found'), rule('b.found', { id: 'other', on_unknown: 'IGNORE' })]),
  );
  t.equal(policy.id, 'test');
  t.equal(policy.hash, 'sha256:test');
  t.same(
    policy.rules.map(({ source }) => [source.id, source.on_unknown, source.exempt]),
    [
      ['the-rule', 'CHALLENGE', false],
      ['other', 'IGNORE', false],
    ],
  );
  t.same(
    policy.rules.map(({ signalReads, outcomeReads, providers }) => [signalReads, outcomeReads, providers]),
    [
      [[0], [], ['a']],
      [[1], [], ['b']],
    ],
  );
  t.equal(policy.neededMask, 3);
});

t.test('needs only the providers that rules read', async (t) => {
  t.equal(compiled(documentOf([rule('request.telemetry_id_present')])).neededMask, 0);
  t.equal(compiled(documentOf([rule('providers.b.outcome == "ok"')])).neededMask, 2);
  t.equal(compiled(documentOf([rule('providers["a"].outcome == "ok"')])).neededMask, 1);
});

t.test('refuses what the schema of a policy does not allow', async (t) => {
  t.match(mistakesIn(null), [/ null /]);
  t.match(mistakesIn({ policy: 'x', rules: [rule('a.found')] }), [/^otherwise null /]);
  t.match(mistakesIn(documentOf([])), [/^rules null /]);
  t.match(mistakesIn(documentOf([rule('a.found')], { extra: 1 })), [/^extra null unknown field "extra"$/]);
  t.match(mistakesOf('a.found', { severity: 1 }), [/^rules\.0\.severity null unknown field "severity"$/]);
  t.match(mistakesOf('a.found', { on_unknown: 'ALLOW' }), [/^rules\.0\.on_unknown null /]);
  t.match(mistakesOf('a.found', { verdict: 'DENY' }), [/^rules\.0\.verdict null /]);
  t.match(mistakesOf('a.found', { reason: 'lower' }), [/^rules\.0\.reason null /]);
  t.match(mistakesOf('a.found', { id: 'Upper' }), [/^rules\.0\.id null /]);
  t.match(mistakesOf(''), [/^rules\.0\.when /]);
  t.match(mistakesIn(documentOf([null as never])), [/^rules\.0 null /]);
  t.match(mistakesIn(documentOf([{ id: 'x' }])), [/rules\.0\.when/, /rules\.0\.verdict/, /rules\.0\.reason/]);
  t.match(mistakesIn(documentOf('no list' as never)), [/^rules null /]);
});

t.test('reports every mistake at once, in conditions and in the shape', async (t) => {
  const mistakes = mistakesIn({
    policy: 'Test',
    rules: [
      rule('a.nope'),
      rule('a.found &&'),
      rule('b.found', { id: 'other', when: 'b.action == 1', bogus: true }),
    ],
  });
  t.equal(mistakes.length, 7);
  for (const pattern of [
    /^policy /,
    /^otherwise /,
    /^rules\.2\.bogus /,
    /^rules\.0\.when 2 a has no signal "nope"/,
    /^rules\.1\.when 10 something is missing at its end/,
    /^rules\.2\.when 0 types that do not fit/,
    /^rules\.1\.id null duplicate rule id "the-rule"/,
  ]) {
    t.ok(
      mistakes.some((mistake) => pattern.test(mistake)),
      String(pattern),
    );
  }
});

t.test(
  'refuses conditions that the type check would let through and that could never be right',
  async (t) => {
    const refused: [string, RegExp][] = [
      ['has(a.nope)', /has no signal "nope"/],
      ['has(a.found.deeper)', /index/],
      ['has(a.net.nope)', /has no signal "nope"/],
      ['dyn(a).nope == 1', /dyn\(\)/],
      ['type(a.asn) == int', /type\(\)/],
      ['a[request.action] == "x"', /computed/],
      ['providers[request.action].outcome == "ok"', /computed/],
      ['cel.bind(m, a.reasons, m[size(m)] == "x")', /computed/],
      ['cel.bind(p, providers, p.a.outcome == "ok")', /name the provider/],
      ['[providers][0].a.outcome == "ok"', /name the provider/],
      ['["x"].exists(a, a == "x")', /name of a variable/],
      ['cel.bind(request, "x", request == "x")', /name of a variable/],
      ['[1].exists(x, [2].exists(y, [3].exists(z, x == y && y == z)))', /2 levels/],
      ['a.action', /of type string, not bool/],
      ['a.action.matches(request.action)', /must be a literal/],
      ['a.action.matches("(")', /RE2/],
      ['a.action.matches("(?=x)")', /RE2/],
      ['a.action.matches("(x)\\\\1")', /RE2/],
      ['a.action.matchesLinear("x")', /there is no function "matchesLinear"/],
      ['c.found', /there is no variable "c"/],
      ['providers.c.outcome == "ok"', /has no signal "c"/],
      ['providers.a.suspect == "yes"', /types that do not fit/],
      ['providers.a.suspicious', /has no signal "suspicious"/],
      ['has(providers.a.suspicious)', /has no signal "suspicious"/],
      ['request.phone == "1"', /has no signal "phone"/],
    ];
    for (const [when, pattern] of refused) {
      const mistakes = mistakesOf(when);
      t.ok(
        mistakes.some((mistake) => pattern.test(mistake)),
        `${when}: ${mistakes.join('; ')}`,
      );
    }
  },
);

t.test('lets custody be read signal by signal only', async (t) => {
  const refused: [string, RegExp][] = [
    ['telemetry.nope', /has no signal "nope"/],
    ['telemetry.uses == "x"', /types that do not fit/],
    ['has(telemetry.expired)', /without has\(\)/],
    ['has(telemetry["expired"])', /has\(\)/],
    ['cel.bind(v, telemetry, has(v.expired))', /name the signal/],
    ['{"x": telemetry}.x.expired', /name the signal/],
    ['"expired" in telemetry', /name the signal|types that do not fit/],
    ['telemetry[request.action] == true', /computed/],
    ['cel.bind(telemetry, has(telemetry.expired), telemetry)', /without has\(\)/],
    ['[has(telemetry.expired)].exists(telemetry, telemetry)', /without has\(\)/],
  ];
  for (const [when, pattern] of refused) {
    const mistakes = mistakesOf(when);
    t.ok(
      mistakes.some((mistake) => pattern.test(mistake)),
      `${when}: ${mistakes.join('; ')}`,
    );
  }
  t.equal(compiled(documentOf([rule('telemetry.bound_elsewhere')])).neededMask, 4, 'after the providers');
  t.same(compiled(documentOf([rule('telemetry["uses"] > 1')])).rules[0]?.providers, []);
});

t.test('still lets a macro call its own variable telemetry', async (t) => {
  for (const when of [
    'a.reasons.exists(telemetry, telemetry == "x")',
    'cel.bind(telemetry, a.action, telemetry == "x" || telemetry.startsWith("y"))',
    'cel.bind(telemetry, telemetry.bound_elsewhere, !telemetry)',
  ]) {
    t.same(mistakesOf(when), [], when);
  }
  t.equal(compiled(documentOf([rule('["x"].exists(telemetry, telemetry == "x")')])).neededMask, 0);
  t.equal(compiled(documentOf([rule('cel.bind(telemetry, telemetry.expired, telemetry)')])).neededMask, 4);
});

t.test('accepts what a policy may sensibly say', async (t) => {
  for (const when of [
    'has(a.asn) && a.asn in [4764, 13335]',
    'a.score > 0.5 && a.score * 2.0 < 3.0',
    'double(a.asn) / 2.0 > 1.0',
    'a.reasons[0] == "x"',
    'a.reasons.exists(r, r.startsWith("x"))',
    'a.reasons.exists(r, ["x", "y"].exists(s, s == r))',
    'has(a.net.country) && a.net.country != "AU"',
    'a["action"] == "x"',
    'cel.bind(n, a.net, n.country == "AU")',
    'a.action.matches("^x+$") || b.action.lowerAscii().matches("y")',
    'request.telemetry_id_present ? a.found : b.found',
  ]) {
    t.same(mistakesOf(when), [], when);
  }
});

t.test('refuses a verdict of ALLOW that an outage could bring about', async (t) => {
  t.match(mistakesOf('providers.a.outcome == "timeout"', { verdict: 'ALLOW' }), [
    /must not depend on the outcome/,
  ]);
  t.match(mistakesOf('providers.a.outcome == "timeout"', { verdict: 'ALLOW', exempt: true }), [
    /must not depend on the outcome/,
  ]);
  for (const when of ['providers.a.suspect', '!providers.a.suspect || a.found']) {
    t.match(mistakesOf(when, { verdict: 'ALLOW' }), [/or on whether it is suspect/]);
    t.match(mistakesOf(when, { verdict: 'ALLOW', exempt: true }), [/or on whether it is suspect/]);
  }
  t.match(mistakesOf('a.found', { exempt: true }), [/an exempt rule ends with ALLOW/]);
  t.same(mistakesOf('a.found', { exempt: true, verdict: 'ALLOW' }), []);
});

t.test('refuses a signal schema that policies cannot read', async (t) => {
  const { z } = await import('zod');
  const providers = [{ id: 'a', signals: z.object({ found: z.boolean(), odd: z.null() }) }];
  t.throws(() => compilePolicy(documentOf([rule('a.found')]), { ...COMPILE_OPTIONS, providers }), /"odd"/);
});

t.test('runs no pattern that was not compiled with the policy', async (t) => {
  const environment = createRunEnvironment([], { patterns: new Map(), networks: new Map() });
  t.throws(() => environment.evaluate('"x".matchesLinear("x")', {}), /not compiled/);
});
