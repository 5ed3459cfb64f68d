import type { Contradiction, ContradictionInput, Finding, Told } from './contradiction.ts';
import { anyOf, compare, found, numberOf, textOf } from './told.ts';

/** What two observers of one session see within this time, they see of one place. */
const SAME_TIME_SECONDS = 600;

/** One session that two observers place in different networks. */
export const SEEN_ELSEWHERE: Contradiction = {
  id: 'seen_elsewhere',
  family: 'session',
  meaning:
    'Stytch took the fingerprint in another country or network than the address of the request is in (with a GeoIP file), or than the one in which Prefactor saw the device within 10 minutes of it.',
  reads: ['stytch', 'prefactor', 'request'],
  find: ({ evidence: { stytch, prefactor }, request: { place } }: ContradictionInput): Finding => {
    const country = textOf(stytch, 'country');
    const asn = numberOf(stytch, 'asn');
    const created = numberOf(stytch, 'created_at_unix_seconds');
    const lastSeen = numberOf(prefactor, 'last_seen', 'at_unix_seconds');
    return anyOf([
      differ('request_country', country, place === null ? null : place?.country),
      differ('request_asn', asn, place === null ? null : place?.asn),
      compare(created, lastSeen, (taken, seen) =>
        Math.abs(taken - seen) > SAME_TIME_SECONDS
          ? 'none'
          : anyOf([
              differ('prefactor_country', country, textOf(prefactor, 'last_seen', 'country')),
              differ('prefactor_asn', asn, numberOf(prefactor, 'last_seen', 'asn')),
            ]),
      ),
    ]);
  },
};

/** `name` is of the other side, and says what is compared. */
function differ<Value extends string | number>(
  name: string,
  stytch: Told<Value>,
  other: Told<Value>,
): Finding {
  const what = name.slice(name.indexOf('_') + 1);
  return compare(stytch, other, (left, right) =>
    found(left !== right, { [`stytch_${what}`]: left, [name]: right }),
  );
}
