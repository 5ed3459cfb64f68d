import { createNetworkTest, type Network, parseNetwork } from '../ip-address.ts';
import type { Contradiction, ContradictionInput, Finding, RequestSide, Side, Told } from './contradiction.ts';
import { areOfTwoSystems } from './os-family.ts';
import { anyOf, compare, flagOf, found, numberOf, textOf } from './told.ts';

/** What two observers of one session see within this time, they see of one place. */
const SAME_TIME_SECONDS = 600;

/** One session that two observers place in different networks. */
export const SEEN_ELSEWHERE: Contradiction = {
  id: 'seen_elsewhere',
  family: 'session',
  meaning:
    'Stytch took the fingerprint in another country or network than the address of the request is in (networks by a GeoIP file where there is one, otherwise by the network that Stytch names), or than the one in which Prefactor saw the device within 10 minutes of it, or from another browser of the same system than the one that the request names. IPv4 and IPv6 are not compared.',
  reads: ['stytch', 'prefactor', 'request'],
  find: ({ evidence: { stytch, prefactor }, request }: ContradictionInput): Finding => {
    const { place } = request;
    const country = textOf(stytch, 'country');
    const asn = numberOf(stytch, 'asn');
    const created = numberOf(stytch, 'created_at_unix_seconds');
    const lastSeen = numberOf(prefactor, 'last_seen', 'at_unix_seconds');
    return anyOf([
      differ('request_country', country, place === null ? null : place?.country),
      differ('request_asn', asn, place === null ? null : place?.asn),
      compareNetworks(stytch, request),
      compareBrowsers(stytch, request),
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

/**
 * Whether the request comes from the network that Stytch names. Where a GeoIP file tells the system of the
 * address, that is compared instead: a mobile network has many networks, and phones move between them.
 */
function compareNetworks(stytch: Side, { ip, place }: RequestSide): Finding {
  const isTold = place !== null && place?.asn !== undefined && numberOf(stytch, 'asn') !== undefined;
  if (isTold) return 'none';
  // What a GeoIP file would have told is lost, and must not be found in another way.
  const where = place === null ? null : ip;
  return compare(toNetwork(textOf(stytch, 'network')), where, ({ text, network }, address) => {
    // Of somebody with both kinds of address, one page may be asked by one, and another by the other.
    if (network.family !== (address.includes(':') ? 6 : 4)) return 'none';
    const isInside = createNetworkTest([network])(address);
    if (isInside === null) return 'unknown';
    return found(!isInside, { stytch_network: text, request_in_network: isInside });
  });
}

function toNetwork(text: Told<string>): Told<{ readonly text: string; readonly network: Network }> {
  if (typeof text !== 'string') return text;
  const network = parseNetwork(text);
  return 'mistake' in network ? null : { text, network };
}

const NO_BROWSER = 'Other';

/**
 * A client that is no browser, as a back end or an app may send, is not the one that Stytch saw. What is of
 * another system is found as `os_family`: one cause must not count for two families.
 */
function compareBrowsers(stytch: Side, { userAgent }: RequestSide): Finding {
  const isSame = flagOf(stytch, 'user_agent_matches_request');
  const type = textOf(stytch, 'device_type');
  return compare(isSame, userAgent, (matches, { family, os }) => {
    if (family === NO_BROWSER) return 'none';
    if (!matches && type === null) return 'unknown';
    if (!matches && typeof type === 'string' && areOfTwoSystems(os, type)) return 'none';
    return found(!matches, { request_user_agent: family, user_agent_matches_request: matches });
  });
}

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
