import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import { listsOf } from '../../../src/domain/policy/list-signals.ts';
import { COMPILE_OPTIONS, compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

function mistakesOf(rules: readonly Record<string, unknown>[], fields: Record<string, unknown> = {}) {
  const result = compilePolicy(documentOf(rules, fields), COMPILE_OPTIONS);
  return result.ok ? [] : result.mistakes.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const judge = (document: Record<string, unknown>, lists: object | 'unknown') =>
  evaluatePolicy(compiled(document), [ok(), ok()], REQUEST, { lists: lists as 'unknown' });

t.test('reads the lists that the policy names, three-valued', async (t) => {
  const document = documentOf([rule('lists.blocked.device')], { lists: ['blocked'] });
  t.equal(judge(document, { blocked: { device: true } }).verdict, 'BLOCK');
  t.equal(judge(document, { blocked: { device: false } }).verdict, 'ALLOW');
  t.match(judge(document, { blocked: {} }), { verdict: 'CHALLENGE', degraded: true });
  t.match(judge(document, 'unknown'), { verdict: 'CHALLENGE', trace: [{ why: 'lists unavailable' }] });
});

t.test('refuses lists and parts that there are not, and says what may be meant', async (t) => {
  const lists = { lists: ['blocked', 'watched'] };
  t.match(mistakesOf([rule('lists.blokced.device')], lists), [/no list "blokced".*did you mean "blocked"\?/]);
  t.match(mistakesOf([rule('!(lists.nothing.ip)')], lists), [
    /no list "nothing" under `lists:`, but blocked, watched/,
  ]);
  t.match(mistakesOf([rule('lists.x.ip')]), [/but none/]);
  t.match(mistakesOf([rule('lists.blocked.devise')], lists), [
    /no part "devise" of a list: did you mean "device"\?/,
  ]);
  t.match(mistakesOf([rule('lists.blocked.device ==')], lists), [/rules\.0\.when/]);
  t.match(mistakesOf([rule('lists.blocked')], lists), [/not bool/]);
});

t.test('checks the names of lists', async (t) => {
  const when = [rule('true')];
  t.match(mistakesOf(when, { lists: ['Blocked'] }), [/lists\.0: must be lower case/]);
  t.match(mistakesOf(when, { lists: ['a', 'a'] }), [/lists: names a list twice/]);
  t.match(mistakesOf(when, { lists: ['entries'] }), [/must not be "entries"/]);
  t.same(mistakesOf(when, { lists: [] }), []);
  for (const odd of [null, 'x', { lists: 'x' }, { lists: [1, 'No', 'ok'] }])
    t.same(listsOf(odd), odd !== null && typeof odd === 'object' && Array.isArray(odd.lists) ? ['ok'] : []);
});

t.test('lists a rule that observes among the reasons, without effect on the verdict', async (t) => {
  const observed = rule('lists.watched.device', { verdict: 'ALLOW', observe: true });
  for (const otherwise of ['ALLOW', 'CHALLENGE', 'BLOCK']) {
    const document = documentOf([observed], { lists: ['watched'], otherwise });
    t.match(judge(document, { watched: { device: true } }), {
      verdict: otherwise,
      reasons: [{ verdict: 'ALLOW', certain: true }],
      waivers: [],
    });
    t.match(judge(document, 'unknown'), {
      verdict: otherwise,
      reasons: [{ verdict: 'ALLOW', certain: false }],
      waivers: [],
    });
  }
  t.same(judge(documentOf([observed], { lists: ['watched'] }), 'unknown').waivers, []);
});

t.test('refuses a rule that observes and does more', async (t) => {
  const lists = { lists: ['watched'] };
  const observing = (fields: object) => [rule('lists.watched.ip', { observe: true, ...fields })];
  t.match(mistakesOf(observing({ verdict: 'BLOCK' }), lists), [/observe: such a rule changes no verdict/]);
  t.match(mistakesOf(observing({ verdict: 'ALLOW', exempt: true }), lists), [/observe: such a rule/]);
  t.same(mistakesOf([rule('providers.a.outcome == "timeout"', { verdict: 'ALLOW', observe: true })]), []);
});
