import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { compileLinearPattern } from '../../../src/platform/linear-pattern.ts';
import { PROVIDERS } from '../../../src/providers/registry.ts';

function mistakesIn(when: string): readonly string[] {
  const rules = [{ id: 'r', when, verdict: 'BLOCK', reason: 'R' }];
  const document = { policy: 'p', lists: ['blocked'], otherwise: 'ALLOW', rules };
  const compiled = compilePolicy(document, {
    providers: PROVIDERS,
    hash: 'sha256:0',
    compilePattern: compileLinearPattern,
  });
  if (compiled.ok) return [];
  return compiled.mistakes.map(({ offset, message }) => {
    const place = when.slice(offset ?? 0);
    return `${/^\w*/.exec(place)?.[0]}: ${message}`;
  });
}

/** Conditions, and each mistake with the word at which it stands. */
const CONDITIONS: readonly (readonly [string, readonly string[]])[] = [
  ['stytch.fond', ['fond: stytch has no signal "fond": did you mean "found"?']],
  ['stytch["fond"]', [': stytch has no signal "fond": did you mean "found"?']],
  ['has(stytch.cuntry)', ['cuntry: stytch has no signal "cuntry": did you mean "country"?']],
  ['stytch.nonsense', ['nonsense: stytch has no signal "nonsense"']],
  [
    'prefactor.first_seen.asnn == 1',
    ['asnn: prefactor.first_seen has no signal "asnn": did you mean "asn"?'],
  ],
  [
    'stych.found && !mobilrun.found && telemetry.expird',
    [
      'stych: there is no variable "stych": did you mean "stytch"?',
      'mobilrun: there is no variable "mobilrun": did you mean "mobilerun"?',
      'expird: telemetry has no signal "expird": did you mean "expired"?',
    ],
  ],
  ['zzz', ['zzz: there is no variable "zzz"']],
  ['zzz[stytch.found]', ['zzz: there is no variable "zzz"']],
  [
    'activity.device.accounts_1hh > 3 && has(stytch.cuntry)',
    [
      'accounts_1hh: activity.device has no signal "accounts_1hh": did you mean "accounts_1h"?',
      'cuntry: stytch has no signal "cuntry": did you mean "country"?',
    ],
  ],
  ['activity.devce.accounts_1h > 3', ['devce: activity has no signal "devce": did you mean "device"?']],
  ['providers.stich.outcome == "ok"', ['stich: providers has no signal "stich": did you mean "stytch"?']],
  ['lists.bloked.device', ['lists: there is no list "bloked" under `lists:`: did you mean "blocked"?']],
  ['lists.blocked.device && stytch.fond', ['fond: stytch has no signal "fond": did you mean "found"?']],
  [
    'request.user_agent.startWith("x")',
    ['request: there is no function "startWith": did you mean "startsWith"?'],
  ],
  ['sise(stytch.reasons) > 1', ['sise: there is no function "sise": did you mean "size"?']],
  ['stytch.reasons.exists(reason, reson == "X" && reason == "Y")', ['reson: there is no variable "reson"']],
  ['cel.bind(x, stytch.asn, x == 1 && y == 2)', ['y: there is no variable "y"']],
  ['stytch.found.deeper && stytch.found', ["deeper: Cannot index type 'bool'"]],
  ['stytch.found == "x"', ['stytch: types that do not fit: bool == string']],
  ['size(5) == 1', ["size: a function with types that it does not take: 'size(int)'"]],
  ['stytch.found == == true', [': Unexpected token: EQ']],
  ['stytch.found &&', [': something is missing at its end']],
  ['stytch.found )', [": Unexpected character: ')'"]],
  ['[1, "a"] == [1]', [': a list holds values of one type, and this one has int first and then string']],
];

for (const [when, expected] of CONDITIONS)
  t.test(`says what is meant by ${when}`, async (t) => {
    t.match(mistakesIn(when), expected);
    t.equal(mistakesIn(when).length, expected.length);
  });

t.test('takes names that there are', async (t) => {
  for (const when of [
    'stytch.reasons.exists(found, found == "X")',
    'cel.bind(x, stytch.asn, x == 1)',
    'stytch.reasons.size() > 1 && lists.blocked.device',
  ])
    t.same(mistakesIn(when), [], when);
});

t.test('looks no further than ten names', async (t) => {
  t.equal(mistakesIn(Array.from({ length: 50 }, (_, place) => `none${place}`).join(' || ')).length, 10);
});
