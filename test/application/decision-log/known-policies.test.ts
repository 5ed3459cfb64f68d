import t from 'tap';
import { type KnownPolicy, rememberPolicies } from '../../../src/application/decision-log/known-policies.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const BASE = compiled(documentOf([rule('!a.found')]));
const named = (hash: string, text: string | null = null): CompiledPolicy => ({ ...BASE, hash, text });
const LOST = new RiskgateError('store_unavailable', 'The texts cannot be read.');

function open(inForce: () => CompiledPolicy) {
  const texts = new Map<string, string>();
  const kept: string[] = [];
  const loaded: string[] = [];
  let isDown = false;
  const policies = rememberPolicies({
    inForce,
    kept: {
      keep: (hash, text) => void kept.push(`${hash} ${text}`),
      find: async (hash) => {
        if (isDown) throw LOST;
        return texts.get(hash) ?? null;
      },
    },
    load: async (text, hash) => {
      loaded.push(text);
      return text === 'no policy' ? null : { document: BASE.document, compiled: named(hash, text) };
    },
  });
  const setDown = (value: boolean) => {
    isDown = value;
  };
  return { policies, texts, kept, loaded, setDown };
}

const hashOf = async (found: KnownPolicy | null | Promise<KnownPolicy | null>) =>
  (await found)?.compiled?.hash ?? null;

t.test('knows the policies that have been in force, and forgets the oldest', async (t) => {
  let inForce = named('0');
  const policies = rememberPolicies({ inForce: () => inForce, kept: null, load: async () => null });
  t.equal(policies.current(), inForce);
  t.strictSame(policies.find('0'), { document: inForce.document, compiled: inForce }, 'without waiting');
  t.equal(await policies.find('1'), null);
  for (let serial = 1; serial <= 15; serial += 1) {
    inForce = named(String(serial));
    t.equal(policies.current(), inForce);
  }
  t.equal(await hashOf(policies.find('0')), '0');
  inForce = named('0');
  policies.current();
  inForce = named('16');
  t.equal(await hashOf(policies.find('16')), '16', 'also one that nobody has asked for yet');
  t.equal(await hashOf(policies.find('0')), '0', 'it was in force again');
  t.equal(await policies.find('1'), null);
  t.equal(await hashOf(policies.find('2')), '2');
});

t.test('knows a policy that judges beside the one in force, and keeps its text', async (t) => {
  const inForce = named('0', 'zero');
  const { policies, kept } = open(() => inForce);
  policies.know(named('1', 'one'));
  t.equal(await hashOf(policies.find('1')), '1');
  t.equal(policies.current().hash, '0');
  t.same(kept, ['1 one', '0 zero']);
});

t.test('keeps the text of each policy that comes into force', async (t) => {
  let inForce = named('0', 'zero');
  const { policies, kept } = open(() => inForce);
  policies.current();
  policies.current();
  inForce = named('1', 'one');
  policies.find('0');
  inForce = named('2');
  policies.current();
  t.same(kept, ['0 zero', '1 one'], 'one without a text is not');
});

t.test('finds a policy of before by its text, and compiles it once', async (t) => {
  const { policies, texts, loaded } = open(() => named('0'));
  texts.set('old', 'a text');
  const both = await Promise.all([policies.find('old'), policies.find('old')]);
  t.equal(both[0], both[1]);
  t.match(await policies.find('old'), { compiled: { hash: 'old', text: 'a text' } });
  t.same(loaded, ['a text']);
});

t.test('looks again for a policy that was not found', async (t) => {
  const { policies, texts, setDown } = open(() => named('0'));
  t.equal(await policies.find('old'), null);
  setDown(true);
  await t.rejects(Promise.resolve(policies.find('old')), LOST);
  setDown(false);
  texts.set('old', 'no policy');
  t.equal(await policies.find('old'), null);
  texts.set('old', 'a text');
  t.equal(await hashOf(policies.find('old')), 'old');
});
