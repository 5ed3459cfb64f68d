import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import { toEvidenceRow } from '../../../src/domain/policy/evidence-row.ts';
import { COMPILE_OPTIONS, compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';

type Parameters = Readonly<Record<string, unknown>>;

const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

function mistakesOf(when: string, parameters: Parameters): string[] {
  const result = compilePolicy(documentOf([rule(when)], { parameters }), COMPILE_OPTIONS);
  if (result.ok) return [];
  return result.mistakes.map(({ path, offset, message }) => `${path.join('.')} ${offset} ${message}`);
}

/** What the one rule of a policy comes to, and whether that needed the interpreter. */
function resultOf(when: string, parameters: Parameters, signals: Record<string, unknown>) {
  const policy = compiled(documentOf([rule(when)], { parameters }));
  const evidence = [ok(signals), ok()];
  const tested = policy.rules[0]?.test(toEvidenceRow(policy.facts, evidence, REQUEST, {}));
  return {
    result: evaluatePolicy(policy, evidence, REQUEST, { telemetry: 'none' }).trace[0]?.result,
    tested,
  };
}

const TYPES: readonly [string, Parameters, string, Record<string, unknown>, Record<string, unknown>][] = [
  ['int', { type: 'int', value: -3 }, 'a.asn > params.x', { asn: -2 }, { asn: -3 }],
  ['double', { type: 'double', value: 1 }, 'a.score >= params.x', { score: 1 }, { score: 0.5 }],
  [
    'double with a fraction',
    { type: 'double', value: 1e-7 },
    'a.score > params.x',
    { score: 1 },
    { score: 0 },
  ],
  ['large double', { type: 'double', value: 1e300 }, 'a.score >= params.x', { score: 1e300 }, { score: 1 }],
  [
    'string',
    { type: 'string', value: 'a"\\\n\u2028é' },
    'a.action == params.x',
    { action: 'a"\\\n\u2028é' },
    { action: 'a' },
  ],
  ['duration', { type: 'duration', value: '2h' }, 'a.asn > params.x', { asn: 7201 }, { asn: 7200 }],
  [
    'list of texts',
    { type: 'list<string>', value: ['A', 'B'] },
    'a.action in params["x"]',
    { action: 'B' },
    { action: 'C' },
  ],
  ['list of integers', { type: 'list<int>', value: [1, 2] }, 'a.asn in params.x', { asn: 2 }, { asn: 3 }],
] as const;

for (const [name, parameter, when, yes, no] of TYPES) {
  t.test(`reads a parameter: ${name}`, async (t) => {
    t.same(resultOf(when, { x: parameter }, yes), { result: 'true', tested: true });
    t.same(resultOf(when, { x: parameter }, no), { result: 'false', tested: false });
  });
}

t.test('reads a bool, a list of doubles and an empty list', async (t) => {
  const isOn = { type: 'bool', value: true };
  t.equal(resultOf('params.x && a.found', { x: isOn }, {}).result, 'true');
  const scores = { type: 'list<double>', value: [1, 0.5] };
  t.equal(resultOf('a.score in params.x', { x: scores }, { score: 0.5 }).result, 'true');
  const none = { type: 'list<string>', value: [] };
  t.equal(resultOf('a.action in params.x', { x: none }, { action: 'A' }).result, 'false');
});

t.test(
  'takes a parameter for a pattern, a network and an address, which are checked as literals',
  async (t) => {
    const pattern = { type: 'string', value: '^BL' };
    t.equal(resultOf('a.action.matches(params.x)', { x: pattern }, { action: 'BLOCK' }).result, 'true');
    t.match(mistakesOf('a.action.matches(params.x)', { x: { type: 'string', value: '(?=x)' } }), [
      /^rules\.0\.when 17 is not a pattern/,
    ]);
    t.match(
      mistakesOf('in_network(request.ip, params.x)', { x: { type: 'string', value: '203.0.113.9/24' } }),
      [/^rules\.0\.when 23 "203\.0\.113\.9\/24"/],
    );
    t.match(mistakesOf('request.ip in params.x', { x: { type: 'list<string>', value: ['2001:DB8::1'] } }), [
      /^rules\.0\.when 14 request\.ip is never/,
    ]);
  },
);

t.test('checks the type of a parameter where it is read, and points there', async (t) => {
  const x = { type: 'string', value: 'a long text that moves what follows' };
  t.match(mistakesOf('a.found && a.asn > params.x', { x }), [
    /^rules\.0\.when 11 types that do not fit: int > string/,
  ]);
  t.match(mistakesOf('a.action == params.x && a.nope', { x }), [/^rules\.0\.when 26 a has no signal "nope"/]);
  t.match(mistakesOf('params.x == a.action && params.x == a.nope', { x }), [
    /^rules\.0\.when 38 a has no signal "nope"/,
  ]);
});

t.test('refuses a name that is not declared, and says which one was meant', async (t) => {
  const limits = { accounts_max: { type: 'int', value: 5 }, devices_max: { type: 'int', value: 5 } };
  t.match(mistakesOf('a.asn > params.acounts_max && a.asn < params.devices_max', limits), [
    /^rules\.0\.when 8 no parameter "acounts_max" at the top of the file: did you mean "accounts_max"\?$/,
  ]);
  t.match(mistakesOf('a.asn > params.other', {}), [
    /^rules\.0\.when 8 no parameter "other" at the top of the file$/,
  ]);
  t.match(mistakesOf('a.asn > params.constructor', {}), [/no parameter "constructor"/]);
});

t.test('refuses parameters that are read in another way than by their name', async (t) => {
  const x = { type: 'int', value: 5 };
  for (const when of ['params == 1', 'a.asn > params[a.action]', 'a.asn > (params).x', 'a.asn > params[1]'])
    t.match(mistakesOf(when, { x }), [/name the parameter: params\.<name>/], when);
  t.match(mistakesOf('has(params.x)', { x }), [/^rules\.0\.when 0 a parameter always has a value/]);
  t.match(mistakesOf('a.reasons.exists(params, params == "X")', { x }), [
    /"params" is the name of the parameters/,
  ]);
});

t.test('lets a policy without parameters use the name for a variable of its own', async (t) => {
  t.same(mistakesOf('a.reasons.exists(params, params == "X")', {}), []);
});

t.test('refuses a parameter that no rule reads', async (t) => {
  const parameters = { used: { type: 'int', value: 5 }, unused: { type: 'int', value: 5 } };
  t.same(mistakesOf('a.asn > params.used', parameters), [
    'parameters.unused null no rule reads params.unused: use it or remove it',
  ]);
});

t.test('refuses a value that is not of its type, once, and checks the rest of the rules', async (t) => {
  const wrong: readonly [string, unknown, RegExp][] = [
    ['int', 1.5, /must be an integer/],
    ['int', '5', /must be an integer/],
    ['int', 2 ** 60, /must be|Too big|expected/],
    ['double', 'x', /must be a number/],
    ['string', 5, /must be a text/],
    ['string', 'x'.repeat(257), /must be at most 256 characters/],
    ['bool', 'yes', /must be true or false/],
    ['duration', 30, /must be a whole number and a unit/],
    ['duration', '30 minutes', /must be a whole number and a unit/],
    ['list<int>', 5, /must be a list/],
    ['list<string>', Array(1001).fill('x'), /must be at most 1000 items/],
    ['int', undefined, /must be an integer/],
  ];
  for (const [type, value, message] of wrong) {
    const [mistake, ...others] = mistakesOf('a.asn > params.x', { x: { type, value } });
    t.match(mistake, message, `${type} ${String(value)}`);
    t.match(mistake, /^parameters\.x\.value null /);
    t.same(others, []);
  }
  t.match(mistakesOf('a.asn > params.x', { x: { type: 'list<int>', value: [1, 'b'] } }), [
    /^parameters\.x\.value\.1 /,
  ]);
  t.match(mistakesOf('a.asn > params.x', { x: { type: 'number', value: 1 } }), [/^parameters\.x\.type /]);
  t.match(mistakesOf('a.asn > params.x', { x: 5 }), [/^parameters\.x null /]);
  t.match(mistakesOf('a.found', { Bad: { type: 'int', value: 1 } }), [/^parameters\.Bad /]);
  t.match(mistakesOf('a.found', [] as never), [/^parameters null /]);
  const many = Object.fromEntries(
    Array.from({ length: 201 }, (_, n) => [`p${n}`, { type: 'int', value: n }]),
  );
  t.match(mistakesOf('a.found', many), [/^parameters null must be at most 200/]);
});

t.test('leaves a condition that is not CEL to its check', async (t) => {
  t.match(mistakesOf('params.x >', { x: { type: 'int', value: 1 } }), [/^rules\.0\.when 10 /]);
});
