import fc from 'fast-check';
import { INDEFINITE_OUTCOMES } from '../../src/domain/evidence.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import type { RequestSignals } from '../../src/domain/policy/request-signals.ts';
import type { TelemetryCustody, TelemetrySignals } from '../../src/domain/policy/telemetry-signals.ts';
import { documentOf } from './policy-fixture.ts';

/**
 * Conditions without arms: every way in which one can read a signal, an outcome or the request. `{}` stands
 * for a provider.
 */
const SIGNAL_ATOMS = [
  '{}.found',
  '{}.action == "BLOCK"',
  '{}.asn > 5',
  'has({}.asn)',
  '{}.net.country == "AU"',
  'has({}.net) && {}.net.country != "AU"',
  '"X" in {}.reasons',
  '{}.reasons.exists(r, r == "X")',
  '{}.reasons.all(r, r == {}.action)',
  '["X"].exists(r, r == {}.action || {}.found)',
  '[1, 2].all(n, n == 1 || {}.found)',
  '{}.action.matches("^B")',
  '{}.found ? {}.action == "BLOCK" : {}.asn == 4',
  '{"x": {}.found}.x',
  'cel.bind(v, {}.action, v == "BLOCK" || true)',
];
const OUTCOME_ATOMS = [
  'providers.{}.outcome == "ok"',
  'providers.{}.outcome != "not_found"',
  'providers["{}"].outcome == "timeout"',
  'providers.{}.outcome in ["unavailable", "skipped"]',
  'providers.{}.outcome == "ok" && {}.action == "BLOCK"',
  'providers.{}.suspect',
  '!{}.found && !providers.{}.suspect',
  '!{}.found && providers.{}.suspect',
  'cel.bind(p, providers.{}, p.suspect || p.outcome == "ok")',
  'providers["{}"].suspect ? {}.action == "BLOCK" : providers.{}.outcome != "ok"',
];
const CUSTODY_ATOMS = [
  'telemetry.bound_elsewhere',
  'telemetry["bound_elsewhere"]',
  'telemetry.uses > 1',
  'telemetry.age_seconds > 3600',
  'telemetry.expired',
  'telemetry.expired ? telemetry.bound_elsewhere : {}.found',
  'telemetry.expired || {}.action == "BLOCK"',
  '["X"].exists(r, telemetry.expired || r == {}.action)',
  '["X"].all(r, telemetry.bound_elsewhere && r == "X")',
  'cel.bind(v, telemetry.expired, v || true)',
];
const REQUEST_ATOMS = [
  'request.telemetry_id_present',
  'request.action == "login"',
  'has(request.action)',
  'true',
  'false',
];

/** CEL conditions over the providers `a` and `b`, with or without reads of outcomes. */
export function conditions(withOutcomes: boolean): fc.Arbitrary<string> {
  const signalAtoms = [...SIGNAL_ATOMS, ...CUSTODY_ATOMS];
  const atoms = withOutcomes ? [...signalAtoms, ...OUTCOME_ATOMS] : signalAtoms;
  const atom = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...atoms), fc.constantFrom('a', 'b')).map(fill) },
    { weight: 1, arbitrary: fc.constantFrom(...REQUEST_ATOMS) },
  );
  return fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'condition' },
      atom.map((text) => `(${text})`),
      fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(${left} && ${right})`),
      fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(${left} || ${right})`),
      tie('node').map((inner) => `!${inner}`),
      fc.tuple(tie('node'), tie('node'), tie('node')).map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
    ),
  })).node;
}

function fill([text, provider]: [string, string]): string {
  return text.replaceAll('{}', provider);
}

/** Policy documents with every verdict, on_unknown, exemption and otherwise that a file may have. */
export function policyDocuments(): fc.Arbitrary<Record<string, unknown>> {
  const strict = fc.record({
    when: conditions(true),
    verdict: fc.constantFrom('CHALLENGE', 'BLOCK'),
    on_unknown: fc.constantFrom('CHALLENGE', 'BLOCK', 'IGNORE'),
  });
  const lenient = fc.record({
    when: conditions(false),
    verdict: fc.constant('ALLOW'),
    on_unknown: fc.constantFrom('CHALLENGE', 'BLOCK', 'IGNORE'),
    exempt: fc.boolean(),
  });
  const rules = fc.array(fc.oneof({ weight: 4, arbitrary: strict }, { weight: 1, arbitrary: lenient }), {
    minLength: 1,
    maxLength: 5,
  });
  return fc.tuple(rules, fc.constantFrom('ALLOW', 'CHALLENGE', 'BLOCK')).map(([list, otherwise]) =>
    documentOf(
      list.map((fields, index) => ({ id: `rule-${index}`, reason: `RULE_${index}`, ...fields })),
      { otherwise },
    ),
  );
}

/** Evidence of one provider with a definite outcome. */
export function definiteEvidence(): fc.Arbitrary<PolicyEvidence> {
  const signals = fc.record(
    {
      found: fc.constant(true as const),
      action: fc.constantFrom('ALLOW', 'BLOCK', 'X'),
      asn: fc.integer({ min: 3, max: 7 }),
      reasons: fc.array(fc.constantFrom('X', 'Y'), { maxLength: 2 }),
      net: fc.record({ country: fc.constantFrom('AU', 'NZ') }, { requiredKeys: [] }),
    },
    { requiredKeys: ['found'] },
  );
  return fc.oneof(
    { weight: 4, arbitrary: signals.map((value): PolicyEvidence => ({ outcome: 'ok', signals: value })) },
    {
      weight: 1,
      arbitrary: fc.constant<PolicyEvidence>({ outcome: 'not_found', signals: { found: false } }),
    },
    {
      weight: 1,
      arbitrary: fc.constant<PolicyEvidence>({ outcome: 'unsupported', signals: { found: true } }),
    },
    { weight: 1, arbitrary: fc.constant<PolicyEvidence>({ outcome: 'skipped', signals: null }) },
  );
}

/** Evidence of one provider that gave no definite answer. */
export function indefiniteEvidence(): fc.Arbitrary<PolicyEvidence> {
  return fc
    .constantFrom(...INDEFINITE_OUTCOMES)
    .map((outcome): PolicyEvidence => ({ outcome, signals: null }));
}

/** Custody with nothing lost: known in full, or none where there is no telemetry id. */
export function wholeCustody(): fc.Arbitrary<TelemetryCustody> {
  const known = fc.record({
    uses: fc.integer({ min: 1, max: 3 }),
    age_seconds: fc.constantFrom(0, 3600, 3601),
    bound_elsewhere: fc.boolean(),
    omits_device: fc.boolean(),
    omits_account: fc.boolean(),
    expired: fc.boolean(),
  });
  return fc.oneof(
    { weight: 5, arbitrary: known },
    { weight: 1, arbitrary: fc.constant<TelemetryCustody>('none') },
  );
}

/**
 * What remains of custody when all of it is lost, or its expiry alone. Without a telemetry id there is
 * nothing to lose.
 */
export function loseCustody(whole: TelemetryCustody, isAllLost: boolean): TelemetryCustody {
  if (typeof whole === 'string') return whole;
  if (isAllLost) return 'unknown';
  const { expired: _, ...rest }: TelemetrySignals = whole;
  return rest;
}

/** Request signals, with and without the optional ones. */
export function requests(): fc.Arbitrary<RequestSignals> {
  return fc.record(
    {
      telemetry_id_present: fc.boolean(),
      device_id_present: fc.boolean(),
      device_id_given: fc.boolean(),
      action: fc.constantFrom('login', 'payout'),
    },
    { requiredKeys: ['telemetry_id_present', 'device_id_present', 'device_id_given'] },
  ) as fc.Arbitrary<RequestSignals>;
}

/** The same evidence, with each provider suspect or not. */
export function suspicions(): fc.Arbitrary<readonly [boolean, boolean]> {
  return fc.tuple(fc.boolean(), fc.boolean());
}
