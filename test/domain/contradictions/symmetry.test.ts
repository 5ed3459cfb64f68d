import fc from 'fast-check';
import t from 'tap';
import type { ContradictionInput, Finding, Side } from '../../../src/domain/contradictions/contradiction.ts';
import { compareCountries } from '../../../src/domain/contradictions/countries.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import { compare, found } from '../../../src/domain/contradictions/told.ts';
import type { SituationInput } from './situation.ts';
import { NOW_SECONDS, SITUATIONS, toInput } from './situations.ts';

const find = (id: string, given: SituationInput): Finding | undefined =>
  CONTRADICTIONS.find((each) => each.id === id)?.find(toInput(given));
const resultOf = (finding: Finding | undefined) => (typeof finding === 'object' ? finding.result : finding);

/** Fails unless what is found is the same from both sides, and is all of `results` at some time. */
function checkBoth<Value>(
  arbitrary: fc.Arbitrary<Value>,
  results: readonly unknown[],
  both: (value: Value) => readonly [unknown, unknown],
): void {
  const seen = new Set<unknown>();
  fc.assert(
    fc.property(arbitrary, (value) => {
      const [one, other] = both(value);
      seen.add(one);
      if (one !== other) throw new Error(`${String(one)} and ${String(other)}`);
    }),
    { numRuns: 400, seed: 20_261_130 },
  );
  for (const result of results) if (!seen.has(result)) throw new Error(`never ${String(result)}`);
}

const sighting = fc.record({
  latitude: fc.constantFrom(52.5, 52.4, 40.7, -37.8, null),
  longitude: fc.constantFrom(13.4, -74, 145),
  at_unix_seconds: fc.integer({ min: NOW_SECONDS - 40 * 3600, max: NOW_SECONDS }),
});

t.test('a journey is as fast there as back', async (t) => {
  checkBoth(fc.tuple(sighting, sighting), [true, false, 'unknown'], ([one, other]) => {
    const travels = (first: object, last: object) =>
      resultOf(find('travel', { prefactor: { found: true, first_seen: first, last_seen: last } }));
    return [travels(one, other), travels(other, one)];
  });
  t.pass();
});

const told = <Value>(...values: readonly Value[]) =>
  fc.constantFrom<Value | undefined | null>(...values, undefined, null);

t.test('countries of two sides differ from either', async (t) => {
  const side = told(
    { said: 'Europe/Berlin', countries: ['DE', 'DK'] },
    { said: 'DE', countries: ['DE'] },
    { said: 'US', countries: ['US'] },
    { said: 'Etc/UTC', countries: [] },
  );
  checkBoth(fc.tuple(side, side), [true, false, 'unknown', 'none'], ([left, right]) => [
    resultOf(compareCountries(['one', 'other'], left, right)),
    resultOf(compareCountries(['other', 'one'], right, left)),
  ]);
  const number = told(1, 2);
  checkBoth(fc.tuple(number, number), [true, false, 'unknown', 'none'], ([left, right]) => {
    const differ = (one: number | undefined | null, other: number | undefined | null) =>
      resultOf(compare(one, other, (a, b) => found(a !== b, {})));
    return [differ(left, right), differ(right, left)];
  });
  t.pass();
});

t.test('a time zone in another country than an address is the other way round too', async (t) => {
  const zones = { DE: 'Europe/Berlin', US: 'America/New_York', NG: 'Africa/Lagos' } as const;
  const country = fc.constantFrom('DE', 'US', 'NG');
  checkBoth(fc.tuple(country, country), [true, false], ([one, other]) => {
    const clockIn = (zone: keyof typeof zones, address: string) =>
      resultOf(
        find('time_zone_country', {
          stytch: { found: true, country: address },
          mobilerun: { found: true, time_zone: zones[zone] },
        }),
      );
    return [clockIn(one as 'DE', other), clockIn(other as 'DE', one)];
  });
  t.pass();
});

t.test('a session that two observers place differently is so for both', async (t) => {
  const place = fc.record({
    country: fc.constantFrom('DE', 'US', undefined, 7),
    asn: fc.constantFrom(3320, 7922, undefined),
    at: fc.constantFrom(10, 60, 4000),
  });
  checkBoth(fc.tuple(place, place), [true, false, 'unknown', 'none'], ([one, other]) => {
    const elsewhere = (stytch: typeof one, prefactor: typeof one) =>
      resultOf(
        find('seen_elsewhere', {
          stytch: {
            found: true,
            country: stytch.country,
            asn: stytch.asn,
            created_at_unix_seconds: NOW_SECONDS - stytch.at,
          },
          prefactor: {
            found: true,
            last_seen: {
              country: prefactor.country,
              asn: prefactor.asn,
              at_unix_seconds: NOW_SECONDS - prefactor.at,
            },
          },
        }),
      );
    return [elsewhere(one, other), elsewhere(other, one)];
  });
  t.pass();
});

t.test('two User-Agents are of two systems whichever of them is older', async (t) => {
  const os = fc.constantFrom('Android', 'Windows', 'macOS', 'iOS', 'Linux', 'Chrome OS', 'Toaster');
  checkBoth(fc.tuple(os, os), [true, false, 'none'], ([one, other]) => {
    const differ = (now: string, before: string) =>
      resultOf(
        find('os_family', {
          request: { userAgent: { family: 'Chrome', os: now } },
          prefactor: { found: true, last_seen: { user_agent_os: before } },
        }),
      );
    return [differ(one, other), differ(other, one)];
  });
  t.pass();
});

/** The same evidence with one value in it of another type, so that it is lost. */
function loseField(input: ContradictionInput, at: number): ContradictionInput {
  let left = at;
  const lose = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      left -= 1;
      return left === -1 ? null : value;
    }
    // What says whether a provider knows the id is always there.
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, name === 'found' ? inner : lose(inner)]),
    );
  };
  const sides = Object.entries(input.evidence).map(([id, side]) => [
    id,
    typeof side === 'string' ? side : (lose(side) as Side),
  ]);
  return { ...input, evidence: Object.fromEntries(sides) as ContradictionInput['evidence'] };
}

t.test('never becomes false, or true, by one field that is lost', async (t) => {
  let lost = 0;
  for (const { title, input } of SITUATIONS) {
    const whole = toInput(input);
    for (const { id, find: look } of CONTRADICTIONS) {
      const before = resultOf(look(whole));
      for (let at = 0; at < 12; at += 1) {
        const after = resultOf(look(loseField(whole, at)));
        if (after === before) continue;
        lost += 1;
        if (after === false && before === true) t.fail(`${id} is false: ${title}`);
        if (after === true) t.fail(`${id} is true: ${title}`);
        if (after === 'none' && before === true) t.fail(`${id} has nothing to compare: ${title}`);
      }
    }
  }
  t.ok(lost > 50, `${lost} findings lost`);
});
