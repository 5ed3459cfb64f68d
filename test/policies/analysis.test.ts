import t from 'tap';
import { toSpaceProviders } from '../../src/app/space-providers.ts';
import { analyzePolicy } from '../../src/domain/policy-analysis/analyze-policy.ts';
import { judgeWitness } from '../../src/domain/policy-analysis/witness.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';

/** What is known of the policies, and meant so. */
const EXPECTED = {
  'default.yaml': [
    // While a provider is suspect, the rule about what it does not find is unknown: a CHALLENGE already.
    'shadowed_rule: telemetry-not-found-suspect: telemetry-not-found contributes as much wherever it contributes',
    'shadowed_rule: mobilerun-device-not-found-suspect: mobilerun-device-not-found contributes as much wherever it contributes',
    'shadowed_rule: prefactor-device-not-found-suspect: prefactor-device-not-found contributes as much wherever it contributes',
    'degraded_allow: ALLOW without lists.watched.device, lists.watched.account, lists.watched.telemetry and 4 more, which such answers do not depend on',
    'degraded_allow: ALLOW without contradictions.families, which such answers do not depend on',
    'degraded_allow: ALLOW without activity.account.remembered_seconds, activity.account.known_device, activity.account.devices_30d, which such answers do not depend on',
    'degraded_allow: ALLOW without activity.ip.not_found_10m, activity.ip.telemetry_ids_10m, which such answers do not depend on',
    'loss_softens: losing lists makes CHALLENGE of BLOCK',
    'loss_softens: losing stytch makes CHALLENGE of BLOCK',
    'loss_softens: losing telemetry makes CHALLENGE of BLOCK',
    'loss_softens: losing mobilerun makes CHALLENGE of BLOCK',
    'loss_softens: losing prefactor makes CHALLENGE of BLOCK',
    // Where no device API is enabled: an account without devices of late may name none, but not an unknown one.
    'bypass: who chooses request.device_id_given alone can make ALLOW of CHALLENGE',
  ],
  'strict.yaml': [
    // They give reasons: every rule is a BLOCK where it is unknown, and an id that is not found is one too.
    'never_decisive: provider-outage: the verdict is the same without it',
    'shadowed_rule: telemetry-missing: telemetry-not-found contributes as much wherever it contributes',
    'never_decisive: device-missing: the verdict is the same without it',
    'degraded_allow: ALLOW without lists.watched.device, lists.watched.account, lists.watched.telemetry and 4 more, which such answers do not depend on',
    'degraded_allow: ALLOW without contradictions.families, which such answers do not depend on',
    'degraded_allow: ALLOW without activity.account.remembered_seconds, activity.account.known_device, activity.account.devices_30d, which such answers do not depend on',
    'degraded_allow: ALLOW without activity.ip.not_found_10m, activity.ip.telemetry_ids_10m, which such answers do not depend on',
    'bypass: who chooses request.device_id_given alone can make ALLOW of CHALLENGE',
    'bypass: who chooses request.device_id_given alone can make ALLOW of BLOCK',
  ],
};

for (const [name, expected] of Object.entries(EXPECTED)) {
  t.test(`${name} has the findings that are meant`, async (t) => {
    const policy = loadPolicyFile(name);
    const { findings, verdicts, limits, isComplete } = analyzePolicy(policy, toSpaceProviders(PROVIDERS));
    t.same(
      findings.map(({ kind, message }) => `${kind}: ${message}`),
      expected,
    );
    t.same(limits, [], 'nothing is approximated');
    t.ok(isComplete);
    t.same(
      verdicts.map(({ verdict }) => verdict),
      ['ALLOW', 'CHALLENGE', 'BLOCK'],
    );
    for (const { verdict, witness } of verdicts) {
      const judged = witness === undefined ? null : judgeWitness(policy, witness).verdict;
      t.equal(judged, verdict);
    }
  });
}
