import t from 'tap';
import { createAskFacts } from '../../../src/application/facts/ask-facts.ts';
import type { FactQuestion, FactSource } from '../../../src/application/facts/fact-source.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';

const KNOWN = { gathered: [], facts: {}, nowMs: 0 };

/** A policy that reads the facts of these names. */
function reading(...names: string[]): CompiledPolicy {
  return { factsAsked: names } as Partial<CompiledPolicy> as CompiledPolicy;
}

function questionOf(policy: CompiledPolicy): FactQuestion {
  return { subject: { telemetryId: null, device: { kind: 'shared', id: null } }, policy, deadlineAtMs: 1 };
}

/** Tells its own name of each fact, in place or later. */
function createFactSource(names: readonly string[], isLate = false) {
  const asked: FactQuestion[] = [];
  const conclude = () => Object.fromEntries(names.map((name) => [name, { told: name }]));
  const source: FactSource = {
    names,
    ask: (question) => {
      asked.push(question);
      return isLate ? Promise.resolve(conclude) : conclude;
    },
  };
  return { source, asked };
}

t.test('asks nobody for what the policy does not read', async (t) => {
  const { source, asked } = createFactSource(['one']);
  t.equal(createAskFacts([source])(questionOf(reading('other'))), null);
  t.same(asked, []);
});

t.test('asks those that the policy of the moment reads', async (t) => {
  const [one, two] = [createFactSource(['one', 'one.more']), createFactSource(['two'])];
  const ask = createAskFacts([one.source, two.source]);
  const told = ask(questionOf(reading('two')));
  t.equal(typeof told, 'function', 'in place');
  t.same((await told)?.(KNOWN), { two: { told: 'two' } });
  t.same((await ask(questionOf(reading('one.more'))))?.(KNOWN), {
    one: { told: 'one' },
    'one.more': { told: 'one.more' },
  });
  t.equal(one.asked.length, 1);
  t.equal(two.asked.length, 1);
});

t.test('puts together what several tell, in place where all of them do', async (t) => {
  const [one, two, late] = [
    createFactSource(['one']),
    createFactSource(['two']),
    createFactSource(['late'], true),
  ];
  const told = createAskFacts([one.source, two.source])(questionOf(reading('two', 'one')));
  t.equal(typeof told, 'function');
  t.same((await told)?.(KNOWN), { one: { told: 'one' }, two: { told: 'two' } });
  const later = createAskFacts([one.source, late.source])(questionOf(reading('late', 'one')));
  t.ok(later instanceof Promise);
  t.same((await later)?.(KNOWN), { one: { told: 'one' }, late: { told: 'late' } });
});

/** Tells how many facts it was told of, in place or later. */
function createCounter(name: string, isLate = false): FactSource {
  return {
    names: [name],
    ask:
      () =>
      ({ facts }) => {
        const told = { [name]: { told: Object.keys(facts).length } };
        return isLate ? Promise.resolve(told) : told;
      },
  };
}

t.test('tells each source what those before it told', async (t) => {
  const ask = createAskFacts(['one', 'two', 'three'].map((name) => createCounter(name)));
  const conclude = await ask(questionOf(reading('one', 'two', 'three')));
  t.same(conclude?.(KNOWN), { one: { told: 0 }, two: { told: 1 }, three: { told: 2 } }, 'in place');
  t.same(KNOWN.facts, {}, 'what it was given stays as it was');
});

t.test('waits for what is told later before it goes on to the next', async (t) => {
  const ask = createAskFacts([createCounter('one'), createCounter('late', true), createCounter('last')]);
  const conclude = await ask(questionOf(reading('one', 'late', 'last')));
  const facts = conclude?.(KNOWN);
  t.ok(facts instanceof Promise);
  t.same(await facts, { one: { told: 0 }, late: { told: 1 }, last: { told: 2 } });
});
