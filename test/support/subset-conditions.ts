import fc from 'fast-check';
import { z } from 'zod';
import {
  DEFINITE_OUTCOMES,
  INDEFINITE_OUTCOMES,
  type Outcome,
  type Signals,
} from '../../src/domain/evidence.ts';
import type { CompileOptions } from '../../src/domain/policy/compile-condition.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import type { RequestSignals } from '../../src/domain/policy/request-signals.ts';
import type { TelemetryCustody, TelemetrySignals } from '../../src/domain/policy/telemetry-signals.ts';
import { COMPILE_OPTIONS } from './policy-fixture.ts';

const signals = z.object({
  found: z.boolean(),
  action: z.string().optional(),
  status: z.string().optional(),
  asn: z.number().int().optional(),
  hops: z.number().int().optional(),
  score: z.number().optional(),
  reasons: z.array(z.string()).optional(),
  ports: z.array(z.number().int()).optional(),
  net: z.object({ country: z.string().optional(), size: z.number().int().optional() }).optional(),
});

/** Providers `a` and `b` with a signal of every type. */
export const SUBSET_OPTIONS: CompileOptions = {
  ...COMPILE_OPTIONS,
  providers: [
    { id: 'a', signals },
    { id: 'b', signals },
  ],
};

/** Operands by type: signals, and literals at the edges of their types. */
const BOOLS = [
  'a.found',
  'b["found"]',
  'providers.a.suspect',
  'request.device_id_present',
  'telemetry.expired',
  'telemetry.omits_device',
  'true',
  'false',
];
const TEXTS = [
  'a.action',
  'b.action',
  'a.status',
  'a.net.country',
  'b["net"].country',
  'providers.a.outcome',
  'providers["b"].outcome',
  'request.action',
  'request.ip',
  '"BLOCK"',
  '"ok"',
  '"1"',
  '""',
];
const INTS = [
  'a.asn',
  'b.asn',
  'a.hops',
  'a.net.size',
  'telemetry.uses',
  'telemetry["age_seconds"]',
  '0',
  '-0',
  '1',
  '-1',
  '7',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9223372036854775807',
];
const DOUBLES = ['a.score', 'b.score', '0.0', '-0.0', '1.0', '1.5', '-1.5', '1e300'];
const FIELDS = [
  'a.action',
  'a.asn',
  'b.score',
  'a.net',
  'a.net.country',
  'b.net.size',
  'request.ip',
  'a.reasons',
];
const LISTS = ['["BLOCK", "X"]', '["X"]', 'a.reasons', 'b.reasons', '["1", a.action]', '[""]'];
const INT_LISTS = ['[0, 1]', '[-1, 7]', 'a.ports', '[9007199254740993]', '[a.asn, 1]'];
/** Conditions outside of the subset: an answer beside them may still be certain. */
const OTHERS = [
  'a.reasons.exists(r, r == "X")',
  'a.action.matches("^B")',
  'a.action.startsWith("B")',
  'a.asn + 1 == 8',
  'in_network(request.ip, "203.0.113.0/24")',
  'a.reasons == ["X"]',
  '(a.found ? a.action : b.action) == "BLOCK"',
  'cel.bind(v, a.found, v || b.found)',
];

const of = (texts: readonly string[]) => fc.constantFrom(...texts);
const join = (...parts: (string | fc.Arbitrary<string>)[]) =>
  fc
    .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
    .map((all) => all.join(''));
const equality = of([' == ', ' != ']);
const order = of([' < ', ' <= ', ' > ', ' >= ']);
const numbers = of([...INTS, ...DOUBLES]);

/**
 * Conditions that become closures, with all of its operators and operands, and a few beside them that do not.
 */
export function subsetConditions(): fc.Arbitrary<string> {
  const leaf = fc.oneof(
    of(BOOLS),
    join('(', of(BOOLS), equality, of(BOOLS), ')'),
    join('(', of(TEXTS), fc.oneof(equality, order), of(TEXTS), ')'),
    join('(', of(INTS), equality, of(INTS), ')'),
    join('(', of(DOUBLES), equality, of(DOUBLES), ')'),
    join('(', numbers, order, numbers, ')'),
    join('(', of(TEXTS), ' in ', of(LISTS), ')'),
    join('(', of(INTS), ' in ', of(INT_LISTS), ')'),
    join('has(', of(FIELDS), ')'),
    join('(', of(OTHERS), ')'),
  );
  return fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'subset' },
      { weight: 6, arbitrary: leaf },
      { weight: 2, arbitrary: join('(', tie('node'), ' && ', tie('node'), ')') },
      { weight: 2, arbitrary: join('(', tie('node'), ' || ', tie('node'), ')') },
      { weight: 2, arbitrary: join('!', tie('node')) },
      { weight: 1, arbitrary: join('(', tie('node'), ' ? ', tie('node'), ' : ', tie('node'), ')') },
    ),
  })).node;
}

/** Values that no schema lets through, and that a store may still return. */
function oddValues(): fc.Arbitrary<unknown> {
  return fc
    .constantFrom<() => unknown>(
      () => undefined,
      () => null,
      () => Number.NaN,
      () => Number.POSITIVE_INFINITY,
      () => -0,
      () => 1.5,
      () => 2 ** 53,
      () => 1e300,
      () => 7n,
      () => '1',
      () => 'true',
      () => true,
      () => [],
      () => ['X', 1],
      () => [null],
      () => [[]],
      () => [new Date(0), 'X'],
      () => ['X', new Date(0)],
      () => new Set(['X']),
      () => new Map([['country', 'BLOCK']]),
      () => ({}),
      () => ({ country: null, size: '1' }),
      () => ({ constructor: 'X', country: 'BLOCK' }),
      () => Object.assign(Object.create({ country: 'BLOCK' }), { size: 1 }) as unknown,
      () => Object.assign(Object.create(null), { country: 'BLOCK' }) as unknown,
      () => JSON.parse('{"__proto__": {"country": "BLOCK"}}') as unknown,
      () => new Date(0),
      () => () => true,
    )
    .map((make) => make());
}

function mostly<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 8, arbitrary: value }, { weight: 1, arbitrary: oddValues() });
}

const texts = of(['BLOCK', 'X', '1', '', 'ok', '\ud800', '\udc00', '\uffff', 'ä', '__proto__']);
const ints = fc.constantFrom(0, -0, 1, -1, 7, 8, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 63));

function oddSignals(): fc.Arbitrary<Signals> {
  const fields = fc.record(
    {
      found: mostly(fc.boolean()),
      action: mostly(texts),
      status: mostly(texts),
      asn: mostly(ints),
      hops: mostly(ints),
      score: mostly(fc.constantFrom(0, -0, 1, 1.5, -1.5, 1e300, Number.NaN)),
      reasons: mostly(fc.array(texts, { maxLength: 3 })),
      ports: mostly(fc.array(ints, { maxLength: 3 })),
      net: mostly(fc.record({ country: texts, size: ints }, { requiredKeys: [] })),
    },
    { requiredKeys: [] },
  );
  const shapes = fc.constantFrom<(own: object) => object>(
    (own) => own,
    (own) => ({ ...own, constructor: 'X' }),
    (own) => Object.assign(Object.create({ found: true, asn: 7 }), own) as object,
    (own) => Object.assign(Object.create(null), own) as object,
    (own) => new Map(Object.entries(own)),
  );
  const shape = fc.oneof(
    { weight: 12, arbitrary: fc.constant((own: object) => own) },
    { weight: 1, arbitrary: shapes },
  );
  return fc.tuple(fields, shape).map(([own, reshape]) => reshape(own) as Signals);
}

/** Evidence with every outcome, whole and odd. */
export function oddEvidence(): fc.Arbitrary<PolicyEvidence> {
  return fc
    .record(
      {
        outcome: fc.oneof(
          { weight: 8, arbitrary: fc.constant<Outcome>('ok') },
          { weight: 2, arbitrary: fc.constantFrom<Outcome>(...DEFINITE_OUTCOMES) },
          { weight: 2, arbitrary: fc.constantFrom<Outcome>(...INDEFINITE_OUTCOMES) },
        ),
        signals: fc.option(oddSignals(), { freq: 8 }),
        suspect: fc.boolean(),
      },
      { requiredKeys: ['outcome', 'signals'] },
    )
    .map((piece) => piece as PolicyEvidence);
}

/** Custody whole, in part and not there. */
export function oddCustody(): fc.Arbitrary<TelemetryCustody> {
  const known = fc.record(
    {
      uses: mostly(ints),
      age_seconds: mostly(ints),
      bound_elsewhere: mostly(fc.boolean()),
      omits_device: mostly(fc.boolean()),
      omits_account: mostly(fc.boolean()),
      expired: mostly(fc.boolean()),
    },
    { requiredKeys: ['uses', 'age_seconds', 'bound_elsewhere', 'omits_device', 'omits_account'] },
  );
  return fc.oneof(
    { weight: 6, arbitrary: known.map((signals) => signals as unknown as TelemetrySignals) },
    { weight: 1, arbitrary: fc.constantFrom<TelemetryCustody>('none', 'unknown') },
  );
}

/** Requests with and without an address, which some give and cannot be read. */
export function oddRequests(): fc.Arbitrary<RequestSignals> {
  return fc
    .record(
      {
        telemetry_id_present: fc.boolean(),
        device_id_present: fc.boolean(),
        device_id_given: fc.boolean(),
        action: texts,
        ip: fc.constantFrom('203.0.113.9', '2001:db8::1'),
        ipUnreadable: fc.constant(true),
      },
      { requiredKeys: ['telemetry_id_present', 'device_id_present', 'device_id_given', 'ip'] },
    )
    .chain((request) =>
      fc.constantFrom(
        ...[0, 1, 2].map(() => withoutKeys(request, ['ipUnreadable'])),
        withoutKeys(request, ['ip']),
      ),
    ) as fc.Arbitrary<RequestSignals>;
}

function withoutKeys(request: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)));
}
