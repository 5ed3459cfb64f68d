import { readFileSync } from 'node:fs';
import t from 'tap';
import { toSpaceProviders } from '../../../src/app/space-providers.ts';
import { loadPolicy } from '../../../src/application/load-policy.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { analyzePolicy } from '../../../src/domain/policy-analysis/analyze-policy.ts';
import type { Finding } from '../../../src/domain/policy-analysis/finding.ts';
import { prepare } from '../../../src/domain/policy-analysis/prepare.ts';
import { findShadow, findTrue } from '../../../src/domain/policy-analysis/rule-questions.ts';
import { judgeWitness, type Witness, witnessSchema } from '../../../src/domain/policy-analysis/witness.ts';
import { compileLinearPattern } from '../../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../../src/platform/yaml-document.ts';
import { PROVIDERS } from '../../../src/providers/registry.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { manyRules } from '../../support/many-rules.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const PROVIDERS_OF_SPACE = toSpaceProviders(PROVIDERS);

function load(text: string): CompiledPolicy {
  const result = loadPolicy(text, {
    providers: PROVIDERS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: () => 'not-computed-here',
  });
  if (!result.ok) throw new Error(result.mistakes.join('\n'));
  return result.value;
}

const DEFAULT = readFileSync(new URL('../../../policies/default.yaml', import.meta.url), 'utf8');

function linesOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ kind, message }) => `${kind}: ${message}`);
}

/** What the engine decides of evidence that was written to a file and read again. */
function judgeWritten(policy: CompiledPolicy, witness: Witness | undefined) {
  return judgeWitness(policy, witnessSchema.parse(JSON.parse(JSON.stringify(witness))));
}

t.test('finds a rule that nothing makes true', async (t) => {
  const policy = load(
    `${DEFAULT}\n  - id: planted\n    when: 'stytch.found && stytch.action == "BLOCK" && stytch.action == "ALLOW"'\n    verdict: BLOCK\n    reason: PLANTED\n`,
  );
  const { findings } = analyzePolicy(policy, PROVIDERS_OF_SPACE);
  const dead = findings.filter(({ kind }) => kind === 'dead_rule');
  t.match(dead, [{ rule: 'planted', severity: 'error', message: 'planted: no evidence makes it true' }]);
});

t.test('finds a rule in front of which another stands', async (t) => {
  const policy = load(
    `${DEFAULT}\n  - id: planted\n    when: 'prefactor.found && prefactor.status == "revoked" && stytch.found'\n    verdict: CHALLENGE\n    reason: PLANTED\n    on_unknown: CHALLENGE\n`,
  );
  const { findings } = analyzePolicy(policy, PROVIDERS_OF_SPACE);
  const [found] = findings.filter(({ rule }) => rule === 'planted');
  t.equal(found?.message, 'planted: device-revoked contributes as much wherever it contributes');
  const plain = compiled(
    documentOf([
      rule('a.asn > 5', { id: 'wide' }),
      rule('a.asn > 3 && b.found', { id: 'narrow', on_unknown: 'BLOCK', verdict: 'CHALLENGE' }),
      rule('a.asn > 9', { id: 'same', verdict: 'CHALLENGE' }),
    ]),
  );
  const lines = linesOf(analyzePolicy(plain, SPACE_PROVIDERS).findings);
  t.ok(
    lines.includes('shadowed_rule: same: wide contributes as much wherever it contributes'),
    lines.join('; '),
  );
  t.notOk(
    lines.some((line) => line.includes('narrow:')),
    'between the two literals it decides',
  );
});

t.test('finds a waiver of custody, with evidence that the engine decides so', async (t) => {
  const waived = DEFAULT.replaceAll(
    /(when: '?"?telemetry\.[^\n]*\n {4}verdict: \w+\n)/g,
    '$1    on_unknown: IGNORE\n',
  );
  t.not(waived, DEFAULT);
  const policy = load(waived);
  const { findings } = analyzePolicy(policy, PROVIDERS_OF_SPACE);
  const found = findings.filter(({ kind }) => kind === 'waived_allow' || kind === 'loss_allows');
  t.ok(found.length >= 2, linesOf(found).join('; '));
  for (const { witness, before, message } of found) {
    const { verdict, degraded, waivers } = judgeWritten(policy, witness);
    t.match({ verdict, degraded }, { verdict: 'ALLOW', degraded: true }, message);
    t.ok(waivers.length > 0, 'a waiver is listed');
    if (before !== undefined) t.not(judgeWritten(policy, before).verdict, 'ALLOW');
  }
  t.ok(
    linesOf(found).includes('loss_allows: losing telemetry makes ALLOW of BLOCK'),
    linesOf(found).join('; '),
  );
});

t.test('finds verdicts that nothing comes to', async (t) => {
  const policy = compiled(documentOf([rule('a.found', { on_unknown: 'BLOCK' })]));
  const { verdicts, findings } = analyzePolicy(policy, SPACE_PROVIDERS);
  t.same(
    verdicts.map(({ verdict }) => verdict),
    ['ALLOW', 'BLOCK'],
  );
  t.ok(linesOf(findings).includes('unreachable_verdict: no evidence comes to CHALLENGE'));
});

t.test('takes a rule for one that may come to anything where it reads too much, and says so', async (t) => {
  const parts = Array.from(
    { length: 12 },
    (_, place) => `a.asn != ${place} && b.asn != ${place} && has(request.ip)`,
  );
  const wide = `${parts.join(' && ')} && "X" in a.reasons && "Y" in b.reasons && a.net.country == b.net.country && a.action == b.action && request.user_agent == "x" && request.account_id == "y" && a.score > 0.5`;
  const { limits, verdicts } = analyzePolicy(compiled(documentOf([rule(wide)])), SPACE_PROVIDERS);
  t.match(limits, [/^rule the-rule: it reads too much/]);
  t.same(
    verdicts.map(({ verdict }) => verdict),
    ['ALLOW', 'CHALLENGE', 'BLOCK'],
  );
});

t.test('says what it cannot tell apart', async (t) => {
  const about = (when: string) => analyzePolicy(compiled(documentOf([rule(when)])), SPACE_PROVIDERS).limits;
  t.match(about('a.action.matches("^B")'), [
    /^a.action: its values are not all told apart in `a.action.matches/,
  ]);
  t.match(about('a.asn + b.asn > 5'), [/^a.asn: /, /^b.asn: /]);
  t.match(about('in_network(request.ip, "10.0.0.0/8") && in_network(request.ip, "172.16.0.0/12")'), [
    /^request.ip: what is found in it together: in_network 10.0.0.0\/8, in_network 172.16.0.0\/12/,
  ]);
  t.same(about('in_network(request.ip, "10.0.0.0/8")'), [], 'of one network both are tried');
  t.same(
    about('a.asn == b.asn && a.action == b.action && a.score > 0.5'),
    [],
    'nor of two that are compared',
  );
  t.match(about('a.asn < b.asn && b.asn < telemetry.uses && telemetry.uses < telemetry.age_seconds'), [
    /it is compared with too much/,
    /./,
    /./,
    /./,
  ]);
  t.match(about('["A", "B", "C", "D", "E"].all(x, x != "") && ("A" in a.reasons || "B" in a.reasons)'), []);
  const many = ['A', 'B', 'C', 'D', 'E'].map((text) => `"${text}" in a.reasons`).join(' && ');
  t.match(about(many), [/^a.reasons: /], 'not all subsets of five are tried');
  t.match(about('a.reasons == b.reasons'), [/^a.reasons: /, /^b.reasons: /]);
  t.match(about('cel.bind(n, a.net, n.country == "AU")'), [/^a.net: /]);
  t.match(about('a.action.startsWith("B") && a.action == "BLOCK"'), [/^a.action: what is found/]);
});

t.test('takes nothing for evidence that cannot be together', async (t) => {
  const dead = (when: string) =>
    analyzePolicy(compiled(documentOf([rule(when)])), SPACE_PROVIDERS).findings.some(
      ({ kind }) => kind === 'dead_rule',
    );
  t.ok(dead('!request.telemetry_id_present && a.found'), 'without a telemetry id its provider knows nothing');
  t.ok(dead('!request.device_id_present && b.found'));
  t.ok(dead('request.device_id_present && providers.b.outcome == "skipped"'));
  t.ok(dead('request.device_id_present && !request.device_id_given'));
  t.ok(dead('!request.telemetry_id_present && telemetry.uses > 1'));
  t.ok(dead('request.device_id_given && telemetry.omits_device'));
  t.ok(dead('!has(request.account_id) && activity.account.decisions_1h > 5'));
  t.ok(dead('!has(request.ip) && activity.ip.decisions_1h > 5'));
  t.ok(dead('!request.device_id_given && activity.device.decisions_1h > 5'));
  t.notOk(dead('has(request.ip) && activity.ip.decisions_1h > 5'));
  t.notOk(dead('request.telemetry_id_present && a.found && request.device_id_present && b.found'));
  const of = (subject: string) => SPACE_PROVIDERS.map((provider) => ({ ...provider, subject }));
  const policy = compiled(documentOf([rule('!request.telemetry_id_present && a.found')]));
  t.same(
    analyzePolicy(policy, of('ip')).findings.filter(({ kind }) => kind === 'dead_rule'),
    [],
    'of an address that is another thing',
  );
});

t.test('finds a signal of the request that chooses the answer alone', async (t) => {
  const policy = compiled(
    documentOf([rule('has(request.action) && request.action == "payout" && a.asn == 7', { id: 'payout' })]),
  );
  const bypasses = analyzePolicy(policy, SPACE_PROVIDERS).findings.filter(({ kind }) => kind === 'bypass');
  const said = (was: string) => `who chooses request.action alone can make ALLOW of ${was}`;
  t.same(bypasses.map(({ message }) => message).toSorted(), [said('BLOCK'), said('CHALLENGE')]);
  const found = bypasses.find(({ message }) => message === said('BLOCK'));
  t.equal(judgeWritten(policy, found?.before).verdict, 'BLOCK');
  t.equal(judgeWritten(policy, found?.witness).verdict, 'ALLOW');
  t.same({ ...found?.before?.request, action: undefined }, { ...found?.witness?.request, action: undefined });
  const doubtful = compiled(documentOf([rule('request.action.matches("^p") || request.action == "q"')]));
  const found2 = analyzePolicy(doubtful, SPACE_PROVIDERS).findings.filter(({ kind }) => kind === 'bypass');
  t.ok(found2.length > 0, 'of what is approximated too');
});

t.test('stops at its bound, and says what it has not answered', async (t) => {
  const { findings, isComplete } = analyzePolicy(load(manyRules(30)), PROVIDERS_OF_SPACE, 1000);
  t.notOk(isComplete);
  t.ok(findings.every(({ kind }) => kind === 'not_answered' || kind === 'dead_rule'));
  for (const steps of [20_000, 400_000]) {
    const partial = analyzePolicy(load(manyRules(30)), PROVIDERS_OF_SPACE, steps);
    t.equal(
      partial.isComplete,
      partial.findings.every(({ kind }) => kind !== 'not_answered'),
    );
  }
});

t.test('names each question that it had no steps left for', async (t) => {
  const narrow = Array.from({ length: 8 }, (_, place) =>
    rule(`a.asn > ${place + 9}`, { id: `narrow-${place}`, verdict: 'CHALLENGE' }),
  );
  const policy = compiled(documentOf([rule('a.asn > 5', { id: 'wide' }), ...narrow]));
  const unanswered = new Set<string>();
  let steps = 0;
  let isComplete = false;
  for (; !isComplete && steps < 1e6; steps += 250) {
    const analysis = analyzePolicy(policy, SPACE_PROVIDERS, steps);
    isComplete = analysis.isComplete;
    for (const { kind, message } of analysis.findings) if (kind === 'not_answered') unanswered.add(message);
  }
  t.ok(isComplete, `${steps} steps`);
  for (const question of ['who decides', 'whether wide can be true', 'what stands in front of narrow-7'])
    t.ok(unanswered.has(`${question}: there is too much to combine`), [...unanswered].join('; '));
});

t.test('gives no answer about a rule without steps, and one with them', async (t) => {
  const policy = compiled(
    documentOf([
      rule('a.asn > 5', { id: 'wide' }),
      rule('a.asn > 9', { id: 'narrow', verdict: 'CHALLENGE' }),
    ]),
  );
  const prepared = prepare([policy], [], SPACE_PROVIDERS, { steps: 1e7 });
  const [wide, narrow] = prepared.rules;
  if (wide === undefined || narrow === undefined) throw new Error('There are two rules.');
  t.equal(findTrue(prepared, narrow, { steps: 0 }), undefined);
  t.ok(findTrue(prepared, narrow, { steps: 1e7 }));
  t.equal(findShadow(prepared, narrow, { steps: 0 }), undefined);
  t.equal(findShadow(prepared, narrow, { steps: 1e7 }), wide);
  t.equal(findShadow(prepared, wide, { steps: 1e7 }), null);
});

t.test('answers for a hundred rules well within its bound', async (t) => {
  const policy = load(manyRules(100));
  const { findings, isComplete, verdicts } = analyzePolicy(policy, PROVIDERS_OF_SPACE, 15_000_000);
  t.ok(isComplete);
  t.equal(verdicts.length, 3);
  for (const { verdict, witness } of verdicts) t.equal(judgeWritten(policy, witness).verdict, verdict);
  t.ok(findings.every(({ isUnproven }) => isUnproven !== true));
});
