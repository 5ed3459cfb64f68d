import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import { type RequestSignals, toRequestSignals } from '../../../src/domain/policy/request-signals.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { COMPILE_OPTIONS, compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const EMPTY_SUBJECT: Subject = { telemetryId: 't', device: { kind: 'shared', id: 'd' } };
const ABSENT = toRequestSignals(EMPTY_SUBJECT, ['a']);
const UNREADABLE = toRequestSignals({ ...EMPTY_SUBJECT, ipUnreadable: 'malformed' }, ['a']);
const at = (ip: string) => toRequestSignals({ ...EMPTY_SUBJECT, ip }, ['a']);

function resultOf(when: string, request: RequestSignals): string | undefined {
  return evaluatePolicy(compiled(documentOf([rule(when)])), [ok(), ok()], request).trace[0]?.result;
}

function mistakesOf(when: string): string[] {
  const result = compilePolicy(documentOf([rule(when)]), COMPILE_OPTIONS);
  return result.ok ? [] : result.mistakes.map(({ offset, message }) => `${offset} ${message}`);
}

t.test('tells whether an address is in a network', async (t) => {
  const when = 'in_network(request.ip, "203.0.113.0/24")';
  t.equal(resultOf(when, at('203.0.113.9')), 'true');
  t.equal(resultOf(when, at('203.0.114.9')), 'false');
  t.equal(resultOf(when, at('2001:db8::1')), 'false');
  t.equal(resultOf('in_network(request.ip, "2001:DB8::/32")', at('2001:db8::1')), 'true');
  t.equal(resultOf('in_network(request["ip"], "0.0.0.0/0")', at('203.0.113.9')), 'true');
  t.equal(
    resultOf(
      'in_network(request.ip, "203.0.113.0/24") || in_network(request.ip, "198.51.100.0/24")',
      at('198.51.100.1'),
    ),
    'true',
  );
  t.equal(resultOf(`!${when}`, at('203.0.114.9')), 'true');
});

t.test(
  'does not know whether an address is in a network that it cannot read, or that is absent',
  async (t) => {
    const when = 'in_network(request.ip, "203.0.113.0/24")';
    t.equal(resultOf(when, ABSENT), 'unknown');
    t.equal(resultOf(when, UNREADABLE), 'unknown');
    t.equal(resultOf(`a.found || ${when}`, ABSENT), 'true');
    t.equal(resultOf(`!a.found && ${when}`, UNREADABLE), 'false');
    t.equal(resultOf('in_network(a.action, "203.0.113.0/24") || true', ABSENT), 'true');
  },
);

t.test(
  'an address that cannot be read is unknown to every rule, and one that is absent is not',
  async (t) => {
    const asks = [
      'request.ip == "203.0.113.9"',
      'has(request.ip)',
      '!has(request.ip)',
      'request["ip"] != "203.0.113.9"',
      'request.country == "DE"',
      '!has(request.asn)',
    ];
    asks.push(
      'has(request.ip) && request.ip == "203.0.113.9"',
      '!has(request.ip) || request.ip == "203.0.113.9"',
    );
    for (const when of asks) t.equal(resultOf(when, UNREADABLE), 'unknown', when);
    t.equal(resultOf('has(request.ip)', ABSENT), 'false');
    t.equal(resultOf('has(request.ip)', at('203.0.113.9')), 'true');
    t.equal(
      resultOf('request.telemetry_id_present && !has(request.action)', UNREADABLE),
      'true',
      'the rest is known',
    );
  },
);

t.test('a place that could not be looked up is unknown, and the address is not', async (t) => {
  const lost = toRequestSignals({ ...EMPTY_SUBJECT, ip: '203.0.113.9' }, ['a'], 'lost');
  for (const when of ['request.country == "DE"', '!has(request.asn)', 'has(request.country)'])
    t.equal(resultOf(when, lost), 'unknown', when);
  t.equal(resultOf('request.ip == "203.0.113.9"', lost), 'true');
  const policy = compiled(documentOf([rule('has(request.country) && request.country == "DE"')]));
  const { trace, verdict } = evaluatePolicy(policy, [ok(), ok()], lost);
  t.match(trace[0], { result: 'unknown', why: 'where the IP address is could not be looked up' });
  t.equal(verdict, 'CHALLENGE');
});

t.test('says why, without the address', async (t) => {
  const policy = compiled(documentOf([rule('request.ip == "203.0.113.9"')]));
  const { trace, verdict } = evaluatePolicy(policy, [ok(), ok()], UNREADABLE);
  t.match(trace[0], { result: 'unknown', why: 'the IP address cannot be read' });
  t.equal(verdict, 'CHALLENGE');
});

t.test('refuses a network that is no literal or no network, where it stands', async (t) => {
  const refused: readonly [when: string, mistake: RegExp][] = [
    ['in_network(request.ip, request.action)', /^23 .*must be a literal/],
    ['in_network(request.ip, "203.0.113.0/" + "24")', /must be a literal/],
    ['in_network(request.ip, "203.0.113.9")', /^23 "203.0.113.9" .*write its prefix/],
    ['in_network(request.ip, "203.0.113.9/24")', /^23 .*write 203\.0\.113\.0\/24/],
    ['in_network(request.ip, "2001:db8::1/32")', /write 2001:db8::\/32/],
    ['in_network(request.ip, "nonsense/8")', /is no network/],
    ['in_network(request.ip, "10.0.0.0/8/8")', /is no network/],
    ['in_network(request.ip)', /types that it does not take/],
    ['in_network(a.asn, "10.0.0.0/8")', /types that it does not take/],
    ['in_network("203.0.113", "203.0.113.0/24")', /can never be evaluated/],
  ];
  for (const [when, mistake] of refused) t.match(mistakesOf(when).join('\n'), mistake, when);
});

t.test('refuses to compare with a text that no address is spelled as, and gives the spelling', async (t) => {
  const refused: readonly [when: string, mistake: RegExp][] = [
    ['request.ip == "2001:DB8::1"', /^14 .*write "2001:db8::1"$/],
    ['"2001:0db8::0001" != request.ip', /^0 .*write "2001:db8::1"$/],
    ['request["ip"] == "::ffff:203.0.113.9"', /write "203\.0\.113\.9"/],
    ['request.ip in ["203.0.113.9", "[2001:db8::1]:443"]', /^30 .*write "2001:db8::1"$/],
    ['request.ip in {"203.0.113.9:80": true}', /^15 .*write "203\.0\.113\.9"$/],
    ['request.ip == "203.0.113.0/24"', /that is no address/],
    ['request.ip == "010.0.0.1"', /that is no address/],
    ['request.ip == ""', /that is no address/],
    ['a.found && !(request.ip in ["banana"])', /that is no address/],
  ];
  for (const [when, mistake] of refused) t.match(mistakesOf(when).join('\n'), mistake, when);
  const good = [
    'request.ip == "2001:db8::1"',
    'request.ip in ["203.0.113.9"]',
    'request.action == "2001:DB8::1"',
  ];
  good.push('request.ip == request.action', 'request.ip in a.reasons', 'request.action in ["banana"]');
  good.push('request.ip in {"203.0.113.9": true}', 'a["action"] == "banana"', '{"ip": "x"}.ip == "banana"');
  for (const when of good) t.same(mistakesOf(when), [], when);
});

t.test('tells the properties of callers that tell any', async (t) => {
  t.same(toRequestSignals({ ...EMPTY_SUBJECT, properties: ['subject.role=admin'] }, []).properties, [
    'subject.role=admin',
  ]);
  t.notOk('properties' in toRequestSignals(EMPTY_SUBJECT, []));
});
