import t from 'tap';
import { toSpaceProviders } from '../../src/app/space-providers.ts';
import { loadPolicy } from '../../src/application/load-policy.ts';
import { parseCases } from '../../src/application/load-policy-cases.ts';
import { OUTCOMES } from '../../src/domain/evidence.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { TelemetryCustody } from '../../src/domain/policy/telemetry-signals.ts';
import { judgeCases } from '../../src/domain/policy-tests/judge-cases.ts';
import { onLists } from '../../src/domain/policy-tests/on-lists.ts';
import { seenActivity } from '../../src/domain/policy-tests/seen-activity.ts';
import { seenContradictions } from '../../src/domain/policy-tests/seen-contradictions.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { evidenceOf, REQUEST } from '../support/outcome-table.ts';
import { readYaml } from '../support/read-yaml.ts';
import { codeIn, fencesOf, readText, sectionOf, tableRows } from './markdown.ts';

const guide = readText('docs/policy.md');

function load(text: string) {
  return loadPolicy(text, {
    providers: PROVIDERS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: () => '',
  });
}

/** Custody of a first use. */
const FIRST_USE = {
  uses: 1,
  age_seconds: 0,
  bound_elsewhere: false,
  omits_device: false,
  omits_account: false,
  expired: false,
};

/** A policy of one rule with this condition. */
function loadCondition(when: string) {
  const rule = { id: 'r', when, verdict: 'BLOCK', reason: 'R' };
  return load(JSON.stringify({ policy: 'p', otherwise: 'ALLOW', rules: [rule] }));
}

/** What a condition comes to when Stytch timed out. */
function resultOf(when: string): string | undefined {
  const loaded = loadCondition(when);
  if (!loaded.ok) return loaded.mistakes.join('; ');
  const evidence = loaded.value.providerIds.map((id) =>
    evidenceOf(id, id === 'stytch' ? 'timeout' : 'skipped'),
  );
  return evaluatePolicy(loaded.value, evidence, REQUEST).trace[0]?.result;
}

const fences = fencesOf(guide, 'yaml').map(({ text }) => ({ text, value: readYaml(text) as unknown }));
const policies = fences.filter(({ text }) => /^rules:/m.test(text));
const ruleLists = fences.filter(({ value }) => Array.isArray(value));
const caseFiles = fences.filter(({ text }) => /^(cases|matrix):/m.test(text));

t.test('every YAML example is a policy, a list of rules or a file of cases', async (t) => {
  t.equal(policies.length + ruleLists.length + caseFiles.length, fences.length);
  t.ok(policies.length >= 2 && ruleLists.length >= 3 && caseFiles.length === 3);
});

t.test('every example policy compiles', async (t) => {
  for (const { text } of policies) t.match(load(text), { ok: true }, text.slice(0, 40));
  const { parameters: usual } = readYaml(readText('policies/default.yaml')) as { parameters: object };
  for (const { value } of ruleLists) {
    const read = Object.entries(usual).filter(([name]) => JSON.stringify(value).includes(`params.${name}`));
    const parameters = Object.fromEntries(read);
    const document = { policy: 'example', otherwise: 'ALLOW', parameters, rules: value };
    t.match(load(JSON.stringify(document)), { ok: true });
  }
});

t.test('the cases hold for the policy that they are about', async (t) => {
  for (const { text } of caseFiles) {
    const parsed = parseCases(text, parseYaml);
    if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'));
    const { policyFile, read } = parsed.value;
    const own = policies.find((one) => one.text.startsWith(`policy: ${policyFile.replace('.yaml', '')}\n`));
    const loaded = load(own?.text ?? '');
    if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
    const cases = read(loaded.value, toSpaceProviders(PROVIDERS));
    if (!cases.ok) throw new Error(cases.mistakes.join('\n'));
    t.ok(cases.value.length >= 4);
    for (const { case: one, differences } of judgeCases(loaded.value, cases.value))
      t.same(differences, [], one.name);
  }
});

t.test('what is said to be refused is refused, and what to write instead is not', async (t) => {
  const rows = tableRows(sectionOf(guide, '## Conditions')).filter(
    ([first, , last]) => codeIn(first) && codeIn(last),
  );
  t.equal(rows.length, 12);
  for (const [refused, , instead] of rows) {
    t.equal(loadCondition(codeIn(refused) ?? '').ok, false, String(refused));
    t.equal(loadCondition(codeIn(instead) ?? '').ok, true, String(instead));
  }
});

t.test('the truth table is what conditions come to', async (t) => {
  const terms: Readonly<Record<string, string>> = {
    true: 'request.device_id_present',
    false: '!request.device_id_present',
    unknown: 'stytch.found',
  };
  const rows = tableRows(sectionOf(guide, '## True, false, unknown')).slice(2);
  t.equal(rows.length, 9);
  for (const [a = '', b = '', and, or, not] of rows) {
    t.equal(resultOf(`${terms[a]} && ${terms[b]}`), and, `${a} && ${b}`);
    t.equal(resultOf(`${terms[a]} || ${terms[b]}`), or, `${a} || ${b}`);
    t.equal(resultOf(`!(${terms[a]})`), not, `!${a}`);
  }
});

t.test('what is said of rules about outcomes is so', async (t) => {
  t.equal(resultOf('providers.stytch.outcome == "ok" && stytch.action == "BLOCK"'), 'unknown');
  t.equal(resultOf('providers.stytch.outcome == "rate_limited"'), 'false');
  t.equal(resultOf('providers.stytch.outcome == "timeout"'), 'true');
  const text = 'policy: p\notherwise: BLOCK\nrules:\n  - {id: r, reason: R, verdict: ALLOW, when: ';
  t.equal(load(`${text}'providers.stytch.outcome == "timeout"'}\n`).ok, false);
  t.equal(load(`${text}'stytch.found'}\n`).ok, true);
});

interface DefaultPolicy {
  readonly rules: readonly { readonly id: string }[];
  readonly parameters: object;
  readonly lists: readonly string[];
}

const usual = readYaml(readText('policies/default.yaml')) as DefaultPolicy;

/** The lists of rules of the guide that waive what is unknown. */
const waiving = ruleLists
  .map(({ value }) => value as { id: string; on_unknown?: string }[])
  .filter((rules) => rules.every((rule) => rule.on_unknown === 'IGNORE'));

/** The default policy with these rules in place of its own, about a subject that nothing is against. */
function judgeWith(rules: readonly { readonly id: string }[]) {
  const replaced = usual.rules.map((rule) => rules.find(({ id }) => id === rule.id) ?? rule);
  const loaded = load(JSON.stringify({ ...usual, policy: 'waiving', description: '', rules: replaced }));
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const policy = loaded.value;
  const evidence = policy.providerIds.map((id) => evidenceOf(id, 'ok'));
  return (facts: { telemetry?: TelemetryCustody; activity?: Parameters<typeof seenActivity>[1] }) =>
    evaluatePolicy(policy, evidence, REQUEST, {
      ...onLists(policy),
      ...seenContradictions(),
      ...seenActivity(policy, facts.activity),
      telemetry: facts.telemetry ?? FIRST_USE,
    });
}

t.test('the rules that waive are those of the default policy but for the waiver', async (t) => {
  t.equal(waiving.length, 2);
  for (const { on_unknown: _, ...rule } of waiving.flat())
    t.match(
      usual.rules.find(({ id }) => id === rule.id),
      rule,
    );
});

t.test('the rules that waive custody do so only while it is unknown', async (t) => {
  const rules = waiving.find((each) => each.some(({ id }) => id === 'telemetry-replayed')) ?? [];
  const judge = judgeWith(rules);
  const lost = judge({ telemetry: 'unknown' });
  t.match(lost, { verdict: 'ALLOW', degraded: true });
  t.same(
    lost.waivers.map(({ rule }) => rule),
    rules.map(({ id }) => id),
  );
  t.equal(judge({ telemetry: { ...FIRST_USE, bound_elsewhere: true } }).verdict, 'BLOCK');
  t.equal(judge({ telemetry: { ...FIRST_USE, age_seconds: 3601 } }).verdict, 'CHALLENGE');
  t.equal(judge({ telemetry: { ...FIRST_USE, expired: true } }).verdict, 'CHALLENGE');
});

t.test('the rules that waive activity do so only while it is unknown', async (t) => {
  const rules = waiving.find((each) => each.some(({ id }) => id === 'new-device')) ?? [];
  const judge = judgeWith(rules);
  const lost = judge({ activity: 'unknown' });
  t.match(lost, { verdict: 'ALLOW', degraded: true });
  t.same(
    lost.waivers.map(({ rule }) => rule),
    rules.map(({ id }) => id),
  );
  t.equal(judge({ activity: { device: { accounts_1h: 6 } } }).verdict, 'CHALLENGE');
  t.equal(judge({ activity: { account: { remembered_seconds: 2_592_001 } } }).verdict, 'CHALLENGE');
});

t.test('every outcome is explained among the failure modes', async (t) => {
  const page = readText('docs/failure-modes.md');
  const explained = new Set(tableRows(page).map(([first = '']) => /^`(\w+)`/.exec(first)?.[1]));
  for (const outcome of OUTCOMES) t.ok(explained.has(outcome), outcome);
});
