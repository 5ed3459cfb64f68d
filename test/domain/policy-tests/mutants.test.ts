import t from 'tap';
import { compileMutant } from '../../../src/domain/policy-tests/compile-mutant.ts';
import { parseCondition, writeCondition } from '../../../src/domain/policy-tests/condition-text.ts';
import { mutantsOf } from '../../../src/domain/policy-tests/mutants.ts';
import { changesOf } from '../../../src/domain/policy-tests/mutate-condition.ts';
import { COMPILE_OPTIONS, compiled, documentOf, rule } from '../../support/policy-fixture.ts';

/** The texts of all changes of a condition. */
function changes(when: string): readonly (string | null)[] {
  return [...changesOf(parseCondition(when))].map(({ tree }) => writeCondition(tree));
}

/** The lines that mutants of a policy change, but for those of conditions. */
function linesOf(fields: Record<string, unknown>, policy: Record<string, unknown> = {}): readonly string[] {
  const { document } = compiled(documentOf([rule('a.asn == 7', fields)], policy));
  return [...mutantsOf(document)]
    .filter(({ before }) => !before.startsWith('when'))
    .map(({ before, after }) => `${before} → ${after}`);
}

t.test('changes comparisons, literals and junctions, one at a time', async (t) => {
  t.same(changes('a.asn > 5 && b.found'), [
    'b.found',
    'a.asn > 5',
    'a.asn > 5 || b.found',
    'a.asn >= 5 && b.found',
    'a.asn <= 5 && b.found',
    'a.asn > 6 && b.found',
    'a.asn > 4 && b.found',
    'a.asn > 5 && !b.found',
  ]);
  t.same(changes('a.score <= 0.5 || !a.found'), [
    '!a.found',
    'a.score <= 0.5',
    'a.score <= 0.5 && !a.found',
    'a.score < 0.5 || !a.found',
    'a.score > 0.5 || !a.found',
    'a.score <= 1.5 || !a.found',
    'a.score <= -0.5 || !a.found',
    'a.score <= 0.5 || a.found',
    'a.score <= 0.5 || !!a.found',
  ]);
});

t.test('changes choices, lists, calls and negative numbers', async (t) => {
  t.same(changes('a.found ? b.found : true'), [
    'a.found ? true : b.found',
    'b.found',
    'true',
    '!a.found ? b.found : true',
    'a.found ? !b.found : true',
    'a.found ? b.found : false',
  ]);
  t.same(changes('a.action in ["X", "Y"]'), [
    '!(a.action in ["X", "Y"])',
    '!a.action in ["X", "Y"]',
    'a.action in ["Y"]',
    'a.action in ["X"]',
    'a.action in ["X~", "Y"]',
    'a.action in ["X", "Y~"]',
  ]);
  t.same(changes('has(a.asn)'), ['!has(a.asn)']);
  t.same(changes('a.action.startsWith("x")'), ['!a.action.startsWith("x")', 'a.action.startsWith("x~")']);
  t.same(changes('in_network(request.ip, "192.0.2.0/24")'), [
    '!in_network(request.ip, "192.0.2.0/24")',
    'in_network(!request.ip, "192.0.2.0/24")',
    'in_network(request.ip, "192.0.2.0/24~")',
  ]);
  t.same(changes('a.asn + 1 == -1'), [
    'a.asn + 1 != -1',
    'a.asn + 2 == -1',
    'a.asn + 0 == -1',
    'a.asn + 1 == -2',
    'a.asn + 1 == -0',
  ]);
  t.same(changes('size(a.reasons) == 0'), [
    'size(a.reasons) != 0',
    'size(a.reasons) == 1',
    'size(a.reasons) == -1',
  ]);
});

t.test('makes verdicts milder and takes away what protects', async (t) => {
  t.same(linesOf({ on_unknown: 'BLOCK' }), [
    'verdict: BLOCK → verdict: CHALLENGE',
    'on_unknown: BLOCK → on_unknown: CHALLENGE',
    'id: the-rule → ',
  ]);
  t.same(linesOf({ verdict: 'CHALLENGE', step_up: '30m', min_acr: 'x' }, { acr_values: ['x'] }), [
    'verdict: CHALLENGE → verdict: ALLOW',
    'on_unknown: CHALLENGE → on_unknown: IGNORE',
    'step_up: 30m → ',
    'step_up: 30m → step_up: 1801s',
    'step_up: 30m → step_up: 1799s',
    'min_acr: x → ',
    'id: the-rule → ',
  ]);
  t.same(linesOf({ verdict: 'ALLOW', exempt: true, on_unknown: 'IGNORE' }, { otherwise: 'BLOCK' }), [
    'exempt: true → ',
    'id: the-rule → ',
    'otherwise: BLOCK → otherwise: CHALLENGE',
  ]);
  t.same(linesOf({ verdict: 'ALLOW', observe: true }), ['observe: true → ', 'id: the-rule → ']);
});

t.test('changes parameters of every type, where a rule reads them', async (t) => {
  const parameters = {
    most: { type: 'int', value: 5 },
    least: { type: 'duration', value: '1m' },
    name: { type: 'string', value: 'x' },
    names: { type: 'list<string>', value: ['p', 'q'] },
    one: { type: 'list<string>', value: ['p'] },
    is: { type: 'bool', value: true },
    travel_kmh: { type: 'int', value: 900 },
  };
  const when =
    'a.asn > params.most && telemetry.age_seconds > params.least && a.action == params.name && a.action in params.names && a.action in params.one && a.found == params.is && !contradictions.travel';
  const { document } = compiled(documentOf([rule(when)], { parameters }));
  const lines = [...mutantsOf(document)].filter(({ rule: id }) => id === null).map(({ after }) => after);
  t.same(lines, [
    'most: { value: 6 }',
    'most: { value: 4 }',
    'least: { value: "61s" }',
    'least: { value: "59s" }',
    'name: { value: "x~" }',
    'names: { value: ["q"] }',
    'names: { value: ["p"] }',
    'is: { value: false }',
  ]);
});

t.test('compiles a mutant without the parameters that nothing reads any more', async (t) => {
  const parameters = { most: { type: 'int', value: 5 } };
  const { document } = compiled(documentOf([rule('a.asn > params.most && a.found')], { parameters }));
  const [first, second] = [...mutantsOf(document)].map((one) => compileMutant(one.document, COMPILE_OPTIONS));
  t.match(first?.document, { parameters: {}, rules: [{ when: 'a.found' }] });
  t.match(second?.document, { parameters: { most: {} }, rules: [{ when: 'a.asn > params.most' }] });
  const broken = { ...document, rules: document.rules.map((one) => ({ ...one, when: 'a.fond' })) };
  t.equal(compileMutant(broken, COMPILE_OPTIONS), null);
});

t.test('tries no change twice, and none that cannot be written', async (t) => {
  const { document } = compiled(documentOf([rule('a.found || a.found')]));
  const whens = [...mutantsOf(document)]
    .filter(({ after }) => after.startsWith('when'))
    .map(({ after }) => after);
  t.same(whens, [
    'when: a.found',
    'when: a.found && a.found',
    'when: !a.found || a.found',
    'when: a.found || !a.found',
  ]);
  const odd = compiled(documentOf([rule('a.asn - (3 - a.asn) > 1')]));
  t.notOk([...mutantsOf(odd.document)].some(({ after }) => after.startsWith('when')));
  const unread = { ...document, parameters: { most: { type: 'int' as const, value: 'x' } } };
  t.equal(compileMutant(unread, COMPILE_OPTIONS)?.document.parameters['most'], undefined);
});
