import t from 'tap';
import { generateCases } from '../../../src/domain/policy-tests/generate-cases.ts';
import { judgeCases } from '../../../src/domain/policy-tests/judge-cases.ts';
import { type PolicyCase, readCases } from '../../../src/domain/policy-tests/read-cases.ts';
import { toCaseGiven } from '../../../src/domain/policy-tests/to-case.ts';
import { parseYaml } from '../../../src/platform/yaml-document.ts';
import { toYaml } from '../../../src/platform/yaml-text.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

type Policy = ReturnType<typeof compiled>;

/** The names of the cases that are written beside these; each passes, also as YAML, and leaves no class out. */
function generate(policy: Policy, cases: readonly PolicyCase[] = []) {
  const found = generateCases(policy, cases, SPACE_PROVIDERS, 'p.yaml');
  if (found === null) throw new Error('there is too much to combine');
  const { value, mistakes } = parseYaml(toYaml(found.document ?? {}));
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  const read =
    found.document === null ? { ok: true as const, value: [] } : readCases(value, policy, SPACE_PROVIDERS);
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  const failed = judgeCases(policy, read.value).filter(({ differences }) => differences.length > 0);
  const again = generateCases(policy, [...cases, ...read.value], SPACE_PROVIDERS, 'p.yaml');
  return { ...found, failed, again, cases: read.value, names: read.value.map(({ name }) => name) };
}

t.test('writes a case for each way to decide, and none for those that have one', async (t) => {
  const policy = compiled(
    documentOf([
      rule('!a.found', { id: 'gone', reason: 'GONE' }),
      rule('a.action == "X"', { id: 'acts', reason: 'ACTS', verdict: 'CHALLENGE', on_unknown: 'BLOCK' }),
    ]),
  );
  const { names, failed, again, classes, covered, generated, left } = generate(policy);
  t.same(names.toSorted(), [
    'ALLOW, for no rule is against it',
    'BLOCK by acts (ACTS), which is unknown',
    'BLOCK by gone (GONE)',
    'CHALLENGE by acts (ACTS)',
  ]);
  t.same(
    { failed, classes, covered, generated, left },
    { failed: [], classes: 4, covered: 0, generated: 4, left: [] },
  );
  t.match(again, { document: null, classes: 4, covered: 4, generated: 0 });
});

t.test('writes all that a case can say', async (t) => {
  const policy = compiled(
    documentOf(
      [
        rule('telemetry.age_seconds > 60', { id: 'old', reason: 'OLD' }),
        rule('activity.account.devices_1h > 5', { id: 'many', reason: 'MANY' }),
        rule('lists.blocked.device', { id: 'listed', reason: 'LISTED' }),
        rule('contradictions.travel || contradictions.families > 1', { id: 'odd', reason: 'ODD' }),
        rule('request.ip == "192.0.2.1" && providers.a.suspect', { id: 'place', reason: 'PLACE' }),
        rule('step_up.age_seconds > 60', { id: 'late', reason: 'LATE' }),
      ],
      { lists: ['blocked'] },
    ),
  );
  const { names, failed, again, left } = generate(policy);
  t.ok(names.length >= 13);
  t.same({ failed, left }, { failed: [], left: [] });
  t.equal(again?.document, null);
});

t.test('writes cases of exemptions and of waivers', async (t) => {
  const policy = compiled(
    documentOf([
      rule('a.asn == 1', {
        id: 'good',
        reason: 'GOOD',
        verdict: 'ALLOW',
        exempt: true,
        on_unknown: 'IGNORE',
      }),
      rule('a.asn == 2', {
        id: 'better',
        reason: 'GOOD',
        verdict: 'ALLOW',
        exempt: true,
        on_unknown: 'IGNORE',
      }),
      rule('b.asn == 3', { id: 'waived', reason: 'WAIVED', on_unknown: 'IGNORE' }),
      rule('b.found', { id: 'seen', reason: 'SEEN', verdict: 'ALLOW', observe: true }),
    ]),
  );
  const { names, failed, again } = generate(policy);
  t.same(names.toSorted(), [
    'ALLOW by better (GOOD)',
    'ALLOW by good (GOOD)',
    'ALLOW, for no rule is against it',
    'ALLOW, for no rule is against it, although a rule that is waived is unknown',
    'BLOCK by waived (WAIVED)',
  ]);
  t.same(failed, []);
  t.equal(again?.document, null);
});

t.test('names what may be and could not be shown', async (t) => {
  const policy = compiled(documentOf([rule('a.action.matches("^x+$")', { reason: 'ODD' })]));
  const { left } = generate(policy);
  t.ok(left.includes('BLOCK by the-rule (ODD)'), left.join());
});

t.test('writes nothing where there is too much to combine', async (t) => {
  t.equal(generateCases(compiled(documentOf([rule('a.found')])), [], SPACE_PROVIDERS, 'p.yaml', 1), null);
});

t.test('leaves out what comes to another decision by a step-up', async (t) => {
  const policy = compiled(
    documentOf([
      rule('a.asn == 1', { id: 'odd', reason: 'ODD', verdict: 'CHALLENGE', step_up: '30m' }),
      rule('step_up.age_seconds < 60', { id: 'lately', reason: 'LATELY', verdict: 'ALLOW', observe: true }),
    ]),
  );
  const { failed } = generate(policy);
  t.same(failed, []);
});

t.test('puts all that the engine can be given in the words of a case', async (t) => {
  const policy = compiled(documentOf([rule('contradictions.travel')]));
  const request = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
  const witness = { evidence: {}, request: { ...request, ipUnreadable: true, placeLost: true }, facts: {} };
  t.same(toCaseGiven(policy, { ...witness, facts: { contradictions: 'none' } }), {
    request: { ip_unreadable: true, place_lost: true },
    contradictions: {},
  });
});
