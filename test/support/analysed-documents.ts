import fc from 'fast-check';
import { documentOf } from './policy-fixture.ts';

/** Conditions whose values are all told apart. */
const PLAIN = [
  'a.found',
  '!b.found',
  'a.action == "BLOCK"',
  'a.action != b.action',
  'a.asn > 5',
  'has(a.asn)',
  'has(a.net) && a.net.country == "AU"',
  '"X" in a.reasons',
  'telemetry.age_seconds > 3600',
  'telemetry.expired',
  'request.action == "login"',
  'has(request.action)',
  '!request.telemetry_id_present',
  'providers.a.outcome == "ok"',
  '!a.found && !providers.a.suspect',
  'contradictions.travel',
  '!contradictions.clock',
  'contradictions.strongest == "travel"',
];

/** Conditions of which values are left that are not. */
const OPAQUE = [
  'a.reasons.exists(r, r == "X")',
  'a.action.matches("^B")',
  'a.action.startsWith("B") && a.action.contains("LOCK")',
  'a.asn + 1 > 5',
  'cel.bind(v, a, v.found)',
  'in_network(request.ip, "10.0.0.0/8") || in_network(request.ip, "192.168.0.0/16")',
];

/** Documents of a few rules over few signals, of which all combinations can be tried but for those of `more`. */
export function analysedDocuments(more: readonly string[] = []): fc.Arbitrary<Record<string, unknown>> {
  const atom = fc
    .oneof({ weight: 4, arbitrary: fc.constantFrom(...PLAIN, ...more) }, fc.constantFrom(...OPAQUE))
    .map((text) => `(${text})`);
  const condition = fc.oneof(
    atom,
    atom.map((one) => `!${one}`),
    fc.tuple(atom, fc.constantFrom(' && ', ' || '), atom).map((parts) => parts.join('')),
  );
  const fields = fc.oneof(
    fc.record({
      verdict: fc.constantFrom('CHALLENGE', 'BLOCK'),
      on_unknown: fc.constantFrom('CHALLENGE', 'BLOCK', 'IGNORE'),
    }),
    fc.constantFrom(
      { verdict: 'ALLOW' },
      { verdict: 'ALLOW', exempt: true },
      { verdict: 'ALLOW', observe: true },
    ),
  );
  return fc
    .tuple(
      fc.array(fc.tuple(condition, fields), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('ALLOW', 'CHALLENGE', 'BLOCK'),
    )
    .map(([rules, otherwise]) =>
      documentOf(
        rules.map(([when, rest], place) => {
          const isOfOutcome = rest.verdict === 'ALLOW' && when.includes('providers.');
          return {
            id: `rule-${place}`,
            reason: `RULE_${place}`,
            when: isOfOutcome ? 'a.found' : when,
            ...rest,
          };
        }),
        { otherwise },
      ),
    );
}
