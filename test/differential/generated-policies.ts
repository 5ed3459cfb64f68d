import { createSeededRandom, type SeededRandom } from './seeded-random.ts';

/**
 * Conditions without arms. Together they have every operator, macro and function that a policy may use, and
 * read signals that are always there, sometimes there, nested, lists, and of every type.
 */
const SIGNAL_ATOMS = [
  'stytch.found',
  '!stytch.is_authentic',
  'stytch.action == "BLOCK"',
  'stytch.action != "ALLOW"',
  'stytch.action in ["CHALLENGE", "REVIEW"]',
  'stytch["action"] < "C"',
  'stytch.action + "-" + stytch.device_type == "ALLOW-ANDROID"',
  'stytch.action.matches("^[AB]L")',
  'stytch.action.startsWith("CH") || stytch.action.endsWith("K") || stytch.action.contains("LL")',
  'size(stytch.reasons) > 1',
  'stytch.reasons.size() == 0',
  '"VIRTUAL_MACHINE" in stytch.reasons',
  'stytch.reasons.exists(r, r.startsWith("KNOWN"))',
  'stytch.reasons.all(r, r != stytch.action)',
  'stytch.reasons.exists_one(r, r == "VIRTUAL_MACHINE")',
  'stytch.reasons.filter(r, r.contains("_")).size() > 0',
  'stytch.reasons.map(r, r + "!").exists(r, r == "VIRTUAL_MACHINE!")',
  'stytch.reasons[0] == "VIRTUAL_MACHINE"',
  'has(stytch.asn)',
  'has(stytch.asn) && stytch.asn >= 64496',
  'stytch.asn % 2 == 0',
  'stytch.asn * 2 - 1 > 100 + 28892',
  'stytch.asn / 2 <= 32248',
  '-stytch.asn < 0',
  'stytch.is_vpn ? stytch.is_proxy : stytch.country == "AU"',
  'stytch.age_seconds > 65',
  'stytch.expires_in_seconds < 3590',
  'has(stytch.fingerprints.visitor_id_hash)',
  'size(stytch.fingerprints.visitor_hash) == 32',
  '"USER_AGENT_DECEPTION" in stytch.overridden_reasons',
  'has(stytch.rule_match_type) && stytch.rule_match_type == "VISITOR_ID"',
  'mobilerun.supported',
  'mobilerun.found && !mobilerun.supported',
  'has(mobilerun.model)',
  'mobilerun.model.brand == "google"',
  'mobilerun.display.width * mobilerun.display.height > 2000000',
  'mobilerun.empty_identifiers > 3',
  'mobilerun.imei_present && !mobilerun.imei_luhn_valid',
  'mobilerun.imsi_matches_sim_operator',
  'mobilerun.carrier_country != prefactor.last_seen.country',
  'prefactor.found',
  'prefactor.status in ["active", "paused"]',
  'prefactor.last_seen.age_seconds > 62',
  'prefactor.first_seen.latitude < -37.5',
  'prefactor.first_seen.latitude + 0.5 < prefactor.last_seen.latitude * 1.0',
  'has(prefactor.last_seen) && prefactor.last_seen.user_agent_family == "Chrome"',
  'prefactor.distance_km > 1000',
  'prefactor.country_changed || prefactor.asn_changed',
  'prefactor.pkce_required == true',
  'prefactor.auth_profile == "openid"',
  'cel.bind(v, prefactor.status, v == "revoked" || v == "paused")',
  '{"x": stytch.found}.x',
  '[stytch.found, prefactor.found].exists(f, !f)',
];
const CUSTODY_ATOMS = [
  'telemetry.bound_elsewhere',
  'telemetry["bound_elsewhere"]',
  'telemetry.uses > 2',
  'telemetry.age_seconds > 20',
  'telemetry.expired',
  'telemetry.omits_device',
  'telemetry.omits_account',
  'telemetry.expired ? telemetry.bound_elsewhere : stytch.found',
  'cel.bind(v, telemetry.expired, v || true)',
];
const REQUEST_ATOMS = [
  'request.telemetry_id_present',
  '!request.device_id_present',
  'request.device_id_given',
  'request.action == "login"',
  'has(request.action)',
  'has(request.account_id) && request.account_id == "acct-1"',
  'in_network(request.ip, "192.0.2.0/24")',
  'in_network(request.ip, "2001:db8::/32")',
  'request.ip == "203.0.113.7"',
  'request.user_agent.contains("Mozilla")',
  'has(request.user_agent) ? size(request.user_agent) > 20 : false',
  'true',
  'false',
];
const OUTCOME_ATOMS = ['stytch', 'mobilerun', 'prefactor'].flatMap((id) => [
  `providers.${id}.outcome == "ok"`,
  `providers.${id}.outcome != "not_found"`,
  `providers["${id}"].outcome in ["timeout", "unavailable", "rate_limited"]`,
  `providers.${id}.suspect`,
  `!${id}.found && !providers.${id}.suspect`,
  `!${id}.found && providers.${id}.suspect`,
  `cel.bind(p, providers.${id}, p.suspect || p.outcome == "skipped")`,
]);

interface Atoms {
  readonly withOutcomes: boolean;
  readonly withCustody: boolean;
}

function condition(random: SeededRandom, atoms: Atoms, depth: number): string {
  if (depth === 0 || random.chance(0.35)) return `(${atom(random, atoms)})`;
  const arm = () => condition(random, atoms, depth - 1);
  switch (random.int(4)) {
    case 0:
      return `(${arm()} && ${arm()})`;
    case 1:
      return `(${arm()} || ${arm()})`;
    case 2:
      return `!${arm()}`;
    default:
      return `(${arm()} ? ${arm()} : ${arm()})`;
  }
}

function atom(random: SeededRandom, { withOutcomes, withCustody }: Atoms): string {
  const lists = [SIGNAL_ATOMS, SIGNAL_ATOMS, SIGNAL_ATOMS, REQUEST_ATOMS];
  if (withCustody) lists.push(CUSTODY_ATOMS);
  if (withOutcomes) lists.push(OUTCOME_ATOMS);
  return random.pick(random.pick(lists));
}

/** The text of the policy of this number: rules of every kind, with and without custody and outcomes. */
export function generatePolicy(number: number, rulesCount: number): string {
  const random = createSeededRandom(`policy ${number}`);
  const withCustody = number % 4 !== 0;
  const rules = Array.from({ length: rulesCount }, (_, place) => {
    const isLenient = random.chance(0.2);
    return {
      id: `rule-${place}`,
      when: condition(random, { withOutcomes: !isLenient, withCustody }, random.int(4)),
      verdict: isLenient ? 'ALLOW' : random.pick(['CHALLENGE', 'BLOCK']),
      reason: `REASON_${place % 7}`,
      on_unknown: random.pick(['CHALLENGE', 'BLOCK', 'IGNORE']),
      ...(isLenient && random.chance(0.3) ? { exempt: true } : {}),
    };
  });
  return JSON.stringify({
    policy: `generated-${number}`,
    otherwise: random.pick(['ALLOW', 'ALLOW', 'CHALLENGE', 'BLOCK']),
    rules,
  });
}

/** A policy in which every atom is a rule of its own. */
export function everyAtomPolicy(): string {
  const atoms = [...SIGNAL_ATOMS, ...CUSTODY_ATOMS, ...REQUEST_ATOMS, ...OUTCOME_ATOMS];
  const rules = atoms.map((when, place) => ({
    id: `atom-${place}`,
    when,
    verdict: 'CHALLENGE',
    reason: `ATOM_${place}`,
    on_unknown: ['CHALLENGE', 'BLOCK', 'IGNORE'][place % 3],
  }));
  return JSON.stringify({ policy: 'every-atom', otherwise: 'ALLOW', rules });
}
