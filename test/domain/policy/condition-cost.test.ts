import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { COMPILE_OPTIONS, documentOf, rule } from '../../support/policy-fixture.ts';

function mistakesOf(when: string): string[] {
  const result = compilePolicy(documentOf([rule(when)]), COMPILE_OPTIONS);
  return result.ok
    ? []
    : result.mistakes.map(({ path, offset, message }) => `${path.join('.')} ${offset} ${message}`);
}

const numbers = (count: number) => `[${Array.from({ length: count }, (_, index) => index).join(', ')}]`;

t.test('refuses a condition that a few bytes or much evidence could make slow', async (t) => {
  const refused = [
    'request.user_agent.split("").exists(c, request.user_agent.split("").exists(d, b.action == d))',
    'request.user_agent.split("").map(c, request.user_agent.split("")).exists(l, l.size() == 5)',
    'a.reasons.exists(x, a.reasons.exists(y, b.action == x))',
    'a.reasons.all(x, b.reasons.all(y, b.asn == 1 || x == y))',
    '(a.reasons + a.reasons + a.reasons).filter(x, (b.reasons + b.reasons).filter(y, x == y).size() == 1).size() == 1',
    `${numbers(600)}.exists(n, n == a.asn)`,
    `${numbers(250)}.exists(x, ${numbers(250)}.exists(y, x == y))`,
    'request.user_agent.matches("a{900}")',
    'request.user_agent.matches("(a?){500}")',
    'request.user_agent.matches("(\\\\pL{1,30}){1,30}$")',
    '["x", "y"].exists(p, a.action.matches("[a-z]{900}") || p == "z")',
    'cel.bind(v, request.user_agent + request.user_agent, cel.bind(w, v + v + v + v, cel.bind(x, w + w + w + w + w + w + w + w, [x, x, x, x].all(y, (y + x + x).contains(v)))))',
    'a.reasons.map(r, r + request.user_agent).join(request.user_agent).split("").exists(c, c == "x")',
    'a.reasons.exists(r, timestamp(0).getHours("Europe/Vienna") == 1 && timestamp(1).getHours("Europe/Vienna") == 2 && timestamp(2).getHours("UTC") == 3)',
    'providers.a.outcome == "ok" && providers.b.outcome == "ok" && a.reasons.exists(x, b.action == x)',
  ];
  for (const when of refused)
    t.match(
      mistakesOf(when).join('\n'),
      /^rules\.0\.when \d+ can take \d+ steps .* 50000 are the most/,
      when,
    );
});

t.test('takes what rules are made of', async (t) => {
  const accepted = [
    'request.user_agent.matches("(?i)^(curl|python-requests|go-http-client|okhttp|java|libwww-perl|wget)/")',
    'a.reasons.exists(r, r == b.action)',
    'a.reasons.exists(r, r in b.reasons)',
    'a.reasons.filter(r, r.startsWith("KNOWN_")).size() > 2',
    `a.asn in ${numbers(800)}`,
    `[${Array.from({ length: 50 }, (_, index) => `"agent-${index}/"`).join(', ')}].exists(p, request.user_agent.startsWith(p))`,
    'providers.a.outcome == "ok" || providers.b.outcome == "ok"',
    'cel.bind(parts, request.account_id.split("-"), size(parts) > 1 && parts[0] == "acct")',
    '["203.0.113.0/24"].exists(n, n != "") && in_network(request.ip, "203.0.113.0/24")',
    'a.found ? {"x": a.reasons.join(",").size()}.x > 5 : [a.action, "y"].exists_one(v, v == "y")',
    'a.asn % 2 == 1 && a.action.contains("OC") && a.action.lowerAscii().indexOf("b") == 0',
  ];
  for (const when of accepted) t.same(mistakesOf(when), [], when);
});

t.test('bounds what all conditions take together', async (t) => {
  const rules = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      rule(`${numbers(300)}.exists(n, n == a.asn)`, { id: `rule-${index}` }),
    );
  t.equal(compilePolicy(documentOf(rules(2)), COMPILE_OPTIONS).ok, true);
  const result = compilePolicy(documentOf(rules(20)), COMPILE_OPTIONS);
  t.match(result, { ok: false, mistakes: [{ path: ['rules'], message: /together .* 500000 are the most/ }] });
});

t.test('counts the same every time', async (t) => {
  const when = 'a.reasons.exists(x, a.reasons.exists(y, b.action == x))';
  t.same(mistakesOf(when), mistakesOf(when));
});
