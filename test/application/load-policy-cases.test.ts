import t from 'tap';
import { parseCases } from '../../src/application/load-policy-cases.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { SPACE_PROVIDERS } from '../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../support/policy-fixture.ts';

const POLICY = compiled(documentOf([rule('!a.found')]));
const HEAD = 'policy: p.yaml\nevidence: { a: { outcome: ok } }\ncases:\n';

/** What is wrong with a file of cases, or how many there are in which lines. */
function load(text: string): readonly string[] | string {
  const parsed = parseCases(text, parseYaml);
  if (!parsed.ok) return parsed.mistakes;
  const read = parsed.value.read(POLICY, SPACE_PROVIDERS);
  if (!read.ok) return read.mistakes;
  return read.value.map(({ name, line, column }) => `${name} ${line}:${column}`).join();
}

t.test('says where each case stands', async (t) => {
  t.equal(load(`${HEAD}  - name: x\n    decision: ALLOW\n  - { name: y, decision: BLOCK }\n`), 'x 4:5,y 6:5');
});

t.test('says what is wrong, with its place', async (t) => {
  t.match(load('policy: ['), [/^1:\d+: /]);
  t.same(load('cases: []\n'), ['1:1: policy: must name the file of the policy']);
  t.same(load(`${HEAD}  - name: x\n    decison: ALLOW\n`), [
    '4:5: cases.0.decision: is missing: one of ALLOW, CHALLENGE, BLOCK',
    '5:5: cases.0.decison: unknown field "decison": did you mean "decision"?',
  ]);
  t.same(load(`${HEAD}  - { name: x, decision: ALLOW, reasons: [OTHER] }\n`), [
    '4:43: cases.0.reasons.0: no rule has the reason OTHER',
  ]);
});

t.test('says that a file is for another policy at the name of it', async (t) => {
  const parsed = parseCases(`${HEAD}  - { name: x, decision: ALLOW }\n`, parseYaml);
  t.equal(parsed.ok && parsed.value.refusePolicy('is another'), '1:9: policy: is another');
  const silent = parseCases(HEAD, (text) => ({ ...parseYaml(text), describe: () => [] }));
  t.equal(silent.ok && silent.value.refusePolicy('is another'), 'is another');
});
