import t from 'tap';
import { z } from 'zod';
import { fromClient, isFromClient } from '../../../src/domain/policy/signal-origin.ts';
import { analyzePolicy } from '../../../src/domain/policy-analysis/analyze-policy.ts';
import { findCheapestBypass } from '../../../src/domain/policy-analysis/find-cheapest-bypass.ts';
import { prepare } from '../../../src/domain/policy-analysis/prepare.ts';
import { judgeWitness } from '../../../src/domain/policy-analysis/witness.ts';
import { everyWitness, SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

type Policy = ReturnType<typeof compiled>;

const HOME = 'request.country == "AU"';
const OWN = 'request.user_agent == "own"';
const NEAR = 'request.asn == 7';

/** A CHALLENGE while one of these does not hold, and a BLOCK while none does. */
function policyOf(...conditions: readonly string[]): Policy {
  return compiled(
    documentOf([
      rule(conditions.map((one) => `!(${one})`).join(' || '), { id: 'some', verdict: 'CHALLENGE' }),
      rule(conditions.map((one) => `!(${one})`).join(' && '), { id: 'all' }),
    ]),
  );
}

function bypasses(policy: Policy) {
  return analyzePolicy(policy, SPACE_PROVIDERS).findings.filter(({ kind }) => kind === 'bypass');
}

/** The fewest signals of the client in which evidence that is blocked and evidence that is allowed differ. */
function fewest(policy: Policy): number {
  const { space } = prepare([policy], [], SPACE_PROVIDERS, { steps: 1e7 });
  const judged = [...everyWitness(space)].map(([witness, assignment]) => ({
    verdict: judgeWitness(policy, witness).verdict,
    values: space.dimensions.map((_, place) => assignment.get(place)),
  }));
  let least = Number.POSITIVE_INFINITY;
  for (const was of judged.filter(({ verdict }) => verdict === 'BLOCK'))
    for (const is of judged.filter(({ verdict }) => verdict === 'ALLOW')) {
      const differing = space.dimensions.filter((_, place) => was.values[place] !== is.values[place]);
      if (differing.every(({ isClient }) => isClient)) least = Math.min(least, differing.length);
    }
  return least;
}

t.test(
  'finds the fewest signals of the client that make ALLOW of a BLOCK, as an exhaustive search does',
  async (t) => {
    const two = policyOf(HOME, OWN);
    t.equal(fewest(two), 2);
    const [, , pair] = bypasses(two);
    t.equal(
      pair?.message,
      'who chooses request.country and request.user_agent together, and no fewer, can make ALLOW of BLOCK',
    );
    t.equal(pair?.before && judgeWitness(two, pair.before).verdict, 'BLOCK');
    t.equal(pair?.witness && judgeWitness(two, pair.witness).verdict, 'ALLOW');
    const three = policyOf(HOME, OWN, NEAR);
    t.equal(fewest(three), 3);
    t.match(bypasses(three).at(-1)?.message, /request.country, request.user_agent and request.asn together/);
    const one = policyOf(HOME);
    t.equal(fewest(one), 1);
    t.same(
      bypasses(one).map(({ message }) => message),
      [
        'who chooses request.country alone can make ALLOW of BLOCK',
        'who chooses request.country alone can make ALLOW of CHALLENGE',
      ],
    );
  },
);

t.test('finds none where a provider has to agree, or more than three would be needed', async (t) => {
  const policy = policyOf(HOME, OWN, 'a.action == "ALLOW"');
  t.ok(bypasses(policy).every(({ message }) => message.endsWith('of CHALLENGE')));
  const four = policyOf(HOME, OWN, NEAR, 'request.ip == "192.0.2.1"');
  t.equal(fewest(four), 4);
  t.ok(bypasses(four).every(({ message }) => message.endsWith('of CHALLENGE')));
});

t.test('looks at pairs where all signals together are too much, and says where it stops', async (t) => {
  const policy = policyOf(HOME, OWN, NEAR);
  const search = (steps: number) => {
    const prepared = prepare([policy], [], SPACE_PROVIDERS, { steps: 1e7 });
    const budget = { steps };
    return { findings: findCheapestBypass(prepared, policy, ['BLOCK'], budget), budget };
  };
  const enough = search(1e7);
  t.match(enough.findings, [{ kind: 'bypass' }]);
  const spent = 1e7 - enough.budget.steps;
  t.ok(spent > 0);
  const messages = [0, 1, 2, 3, 4, 6, 8].map((part) => search(Math.floor((spent * part) / 4)).findings);
  t.match(messages[0], [{ kind: 'not_answered', message: /which 2 signals of the client or more/ }]);
  t.ok(messages.some(([first]) => first?.kind === 'bypass'));
});

t.test('finds pairs and triples where all signals together are too much', async (t) => {
  for (const [policy, names] of [
    [policyOf(HOME, OWN), /request.country and request.user_agent together/],
    [policyOf(HOME, OWN, NEAR), /request.country, request.user_agent and request.asn together/],
  ] as const) {
    const prepared = prepare([policy], [], SPACE_PROVIDERS, { steps: 1e7 });
    const found = findCheapestBypass(prepared, policy, ['BLOCK'], { steps: 1e8 }, 0);
    t.match(found, [{ kind: 'bypass', message: names }]);
  }
});

t.test('says of one signal that it is enough alone', async (t) => {
  const policy = policyOf(HOME);
  const prepared = prepare([policy], [], SPACE_PROVIDERS, { steps: 1e7 });
  t.match(findCheapestBypass(prepared, policy, ['BLOCK'], { steps: 1e7 }), [
    { message: 'who chooses request.country alone can make ALLOW of BLOCK' },
  ]);
  t.same(findCheapestBypass(prepared, policy, [], { steps: 1e7 }), []);
});

t.test('shows what may be where a value cannot be given', async (t) => {
  const policy = policyOf('request.country.matches("^A")', 'request.user_agent.matches("^o")');
  const prepared = prepare([policy], [], SPACE_PROVIDERS, { steps: 1e7 });
  t.match(findCheapestBypass(prepared, policy, ['BLOCK'], { steps: 1e7 }), [
    { message: /^who chooses [123] signals of the client can make ALLOW of BLOCK$/, isUnproven: true },
  ]);
});

t.test('reads from schemas what the client chooses', async (t) => {
  const schema = z.object({
    own: fromClient(z.object({ inner: z.string() }).optional()),
    other: z.object({ inner: fromClient(z.string()), rest: z.string() }).optional(),
  });
  t.ok(isFromClient(schema, ['own']));
  t.ok(isFromClient(schema, ['own', 'inner']));
  t.ok(isFromClient(schema, ['other', 'inner']));
  t.notOk(isFromClient(schema, ['other']));
  t.notOk(isFromClient(schema, ['other', 'rest']));
  t.notOk(isFromClient(schema, ['none', 'inner']));
  t.notOk(isFromClient(schema, ['other', 'rest', 'none']));
});
