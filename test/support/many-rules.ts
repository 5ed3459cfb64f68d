/** Text of a policy of so many rules, as operators write them: what vendors say, activity, lists and the request. */
export function manyRules(count: number): string {
  const rules = Array.from({ length: count }, (_, place) => {
    const when = SHAPES[place % SHAPES.length]?.(place) ?? 'true';
    return `  - id: rule-${place}\n    when: '${when}'\n    verdict: ${place % 3 === 0 ? 'BLOCK' : 'CHALLENGE'}\n    reason: RULE_${place}\n`;
  });
  return `policy: many\notherwise: ALLOW\nlists: [blocked]\nrules:\n${rules.join('')}`;
}

const ACTIONS = ['login', 'payout', 'signup', 'reset'];
const COUNTED = ['decisions_1h', 'login_failed_10m', 'decisions_24h', 'blocks_1h'];

const SHAPES: readonly ((place: number) => string)[] = [
  (place) => `stytch.found && stytch.action == "A${place % 4}"`,
  (place) => `activity.device.${COUNTED[place % 4]} > ${place}`,
  (place) =>
    `has(request.action) && request.action == "${ACTIONS[place % 4]}" && stytch.found && stytch.is_vpn`,
  (place) => `has(stytch.asn) && stytch.asn == ${64_000 + place}`,
  (place) => `activity.account.${COUNTED[place % 4]} > ${place} && !mobilerun.found`,
  () => 'lists.blocked.device || lists.blocked.account || lists.blocked.ip',
  (place) => `telemetry.age_seconds > ${place * 60} && prefactor.found && prefactor.status != "active"`,
  (place) => `has(stytch.country) && stytch.country in ["X${place}", "Y${place}"] && stytch.is_vpn`,
  (place) => `providers.stytch.outcome == "timeout" && activity.ip.${COUNTED[place % 4]} >= ${place}`,
  (place) => `stytch.found && has(stytch.age_seconds) && stytch.age_seconds > ${place * 100}`,
];
