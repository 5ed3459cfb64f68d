import t from 'tap';
import { examineCandidate } from '../../../src/application/promotion/examine-candidate.ts';
import { parseYaml } from '../../../src/platform/yaml-document.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const policy = compiled(documentOf([rule('!a.found', { on_unknown: 'IGNORE' })]));
const examine = (tests: string | null, waivedRules: readonly string[] = []) =>
  examineCandidate(policy, { tests, waivedRules, providers: SPACE_PROVIDERS, parse: parseYaml });

const CASES = `
policy: test.yaml
evidence:
  a: { outcome: ok, signals: { found: true } }
cases:
  - { name: somebody, given: {}, decision: ALLOW }
  - { name: nobody, given: { a: { outcome: not_found } }, decision: BLOCK }
`;

t.test('runs the cases of a candidate, and names those that fail', async (t) => {
  t.same(examine(CASES).cases, { kind: 'run', passed: 2, failed: [] });
  t.same(examine(CASES.replace('decision: BLOCK', 'decision: CHALLENGE')).cases, {
    kind: 'run',
    passed: 1,
    failed: ['nobody'],
  });
});

t.test('says that there are none, or that they cannot be read', async (t) => {
  t.same(examine(null).cases, { kind: 'none' });
  t.match(examine('').cases, { kind: 'unknown', why: /policy/ });
  t.match(examine('policy: {').cases, { kind: 'unknown', why: /^\d+:\d+: / });
  t.match(examine(CASES.replace('decision: ALLOW', 'decison: ALLOW')).cases, {
    kind: 'unknown',
    why: /did you mean "decision"/,
  });
});

t.test('asks what losses do, with the waivers that are known', async (t) => {
  t.same(examine(null).losses, { kind: 'analyzed', violations: ['losing a makes ALLOW of BLOCK'] });
  t.same(examine(null, ['the-rule']).losses, { kind: 'analyzed', violations: [] });
});
