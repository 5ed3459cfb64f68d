import t from 'tap';
import { checkPolicyText, compilePolicyText } from '../../src/app/check-file.ts';
import type { ProviderDefinition } from '../../src/providers/definition.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';

const HEAD = 'policy: test\notherwise: ALLOW\n';
const RULES = `rules:\n  - id: the-rule\n    when: 'stytch.action.matches("^B")'\n    verdict: BLOCK\n    reason: X\n`;
const asserting = (when: string) => `${HEAD}never:\n  - verdict: BLOCK\n    when: '${when}'\n${RULES}`;

/** Providers that count how often they are looked at for a proof. */
function counted() {
  const seen = { proofs: 0 };
  const providers = PROVIDERS.map((one, place) =>
    Object.defineProperty({ ...one } as ProviderDefinition, 'notFoundSignals', {
      get: () => {
        if (place === 0) seen.proofs += 1;
        return one.notFoundSignals;
      },
    }),
  );
  return { seen, providers };
}

t.test('proves what a policy never does once, where a start reads the file twice', async (t) => {
  const { seen, providers } = counted();
  const told: (readonly string[])[] = [];
  const compile = (text: string) => compilePolicyText(text, providers, (unproven) => told.push(unproven)).ok;
  const unproven = asserting('stytch.action.matches("^Q")');
  t.ok(compile(unproven));
  t.equal(seen.proofs, 1);
  t.ok(compile(unproven));
  t.equal(seen.proofs, 1);
  t.match(told, [[/could not be proven/], [/could not be proven/]], 'it is told again');
  t.ok(compile(asserting('stytch.action == "ALLOW" && !stytch.found')));
  t.equal(seen.proofs, 2, 'another text is proven');
  t.ok(compile(unproven));
  t.equal(seen.proofs, 3, 'one text is remembered');
});

t.test('proves again what was refused, and with other providers', async (t) => {
  const { seen, providers } = counted();
  const broken = asserting('stytch.found');
  const plain = broken.replace('.matches("^B")', ' == "BLOCK"');
  t.notOk(compilePolicyText(plain, providers).ok);
  t.notOk(compilePolicyText(plain, providers).ok);
  t.equal(seen.proofs, 2);
  const good = asserting('!stytch.found');
  t.ok(compilePolicyText(good, providers).ok);
  t.ok(compilePolicyText(good, providers.slice(0, 1)).ok);
  t.equal(seen.proofs, 4);
});

t.test('gives a policy that was checked to one that loads it, and to no second one', async (t) => {
  const text = asserting('!stytch.found');
  t.ok(checkPolicyText(text, PROVIDERS).ok);
  const [first, second] = [0, 1].map(() => compilePolicyText(text, PROVIDERS));
  t.ok(first?.ok && second?.ok && first.value !== second.value);
  t.same(first?.ok && first.value.hash, second?.ok && second.value.hash);
  const others = PROVIDERS.map((provider) => ({ ...provider }));
  t.ok(checkPolicyText(text, PROVIDERS).ok);
  t.ok(compilePolicyText(text, others).ok, 'compiled for these providers');
});
