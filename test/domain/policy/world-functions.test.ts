import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import { prefactorSignals } from '../../../src/providers/prefactor/signals.ts';
import { stytchSignals } from '../../../src/providers/stytch/signals.ts';
import { COMPILE_OPTIONS, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const OPTIONS = {
  ...COMPILE_OPTIONS,
  providers: [
    { id: 'stytch', signals: stytchSignals },
    { id: 'prefactor', signals: prefactorSignals },
  ],
};
const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
const BERLIN = { latitude: 52.52, longitude: 13.41 };
const NEW_YORK = { latitude: 40.71, longitude: -74.01 };

function resultOf(when: string, prefactor: object, stytch: object = {}) {
  const compiled = compilePolicy(documentOf([rule(when)]), OPTIONS);
  if (!compiled.ok) return compiled.mistakes.map(({ message }) => message);
  const evidence = [ok(stytch as Record<string, unknown>), ok(prefactor as Record<string, unknown>)];
  return evaluatePolicy(compiled.value, evidence, REQUEST).trace[0]?.result;
}

t.test('tells whole kilometres between two places', async (t) => {
  const when = 'distance_km(prefactor.first_seen, prefactor.last_seen) == 6386';
  t.equal(resultOf(when, { first_seen: BERLIN, last_seen: NEW_YORK }), 'true');
  t.equal(resultOf(when, { first_seen: NEW_YORK, last_seen: BERLIN }), 'true', 'either way');
  t.equal(resultOf(when, { first_seen: BERLIN, last_seen: BERLIN }), 'false');
  for (const first of [{}, { latitude: 1 }, { latitude: 91, longitude: 0 }, { latitude: 'x', longitude: 0 }])
    t.equal(resultOf(when, { first_seen: first, last_seen: BERLIN }), 'unknown');
  t.equal(resultOf(when, { last_seen: BERLIN }), 'unknown');
});

t.test('tells whole minutes between two times of one kind', async (t) => {
  const seconds =
    'minutes_between(prefactor.first_seen.at_unix_seconds, stytch.created_at_unix_seconds) == 2';
  const at = (first: number) => ({ first_seen: { at_unix_seconds: first } });
  t.equal(resultOf(seconds, at(1000), { created_at_unix_seconds: 1179 }), 'true');
  t.equal(resultOf(seconds, at(1120), { created_at_unix_seconds: 1000 }), 'true', 'either way');
  t.equal(resultOf(seconds, at(1180), { created_at_unix_seconds: 1000 }), 'false');
  const texts = 'minutes_between(stytch.created_at, stytch.expires_at) > 60';
  const times = (from: string, to: string) => resultOf(texts, {}, { created_at: from, expires_at: to });
  t.equal(times('2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z'), 'true');
  t.equal(times('2026-01-01T00:00:00Z', '2026-01-01T01:00:59Z'), 'false');
  t.equal(times('soon', '2026-01-01T01:00:59Z'), 'unknown');
});

t.test('tells the countries of a time zone', async (t) => {
  const when = 'stytch.country in countries_of_time_zone(prefactor.last_seen.time_zone)';
  const of = (zone: string, country: string) =>
    resultOf(when, { last_seen: { time_zone: zone } }, { country });
  t.equal(of('Europe/Berlin', 'DK'), 'true');
  t.equal(of('Europe/Berlin', 'US'), 'false');
  t.equal(of('Mars/Olympus', 'US'), 'unknown');
  t.equal(resultOf('countries_of_time_zone("Europe/Berlin").exists(c, c == "DK")', {}), 'true');
});

t.test('refuses what is no place, no time or no zone when the policy is loaded', async (t) => {
  const place = 'distance_km() takes signals with latitude and longitude, such as prefactor.last_seen';
  t.same(resultOf('distance_km(prefactor.country_changed, prefactor.last_seen) > 5', {}), [place]);
  t.same(resultOf('distance_km(prefactor.last_seen, stytch) > 5', {}), [place]);
  t.same(resultOf('distance_km({"latitude": "x", "longitude": "y"}, prefactor.last_seen) > 5', {}), [place]);
  t.match(resultOf('minutes_between(stytch.created_at, stytch.created_at_unix_seconds) > 5', {}), [
    /types that it does not take/,
  ]);
  t.match(resultOf('countries_of_time_zone(stytch.asn) == []', {}), [/types that it does not take/]);
  const { countriesOfTimeZone: _countries, ...without } = OPTIONS;
  const refused = compilePolicy(
    documentOf([rule('"DE" in countries_of_time_zone("Europe/Berlin")')]),
    without,
  );
  t.match(!refused.ok && refused.mistakes, [{ message: /needs time zones, which are not known here/ }]);
});
