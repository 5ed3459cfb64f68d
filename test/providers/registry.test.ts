import t from 'tap';
import { z } from 'zod';
import type { ProviderDefinition } from '../../src/providers/definition.ts';
import { checkProviders, PROVIDERS } from '../../src/providers/registry.ts';
import { stytch } from '../../src/providers/stytch/index.ts';

const mistakesOf = (...definitions: ProviderDefinition[]): readonly string[] => {
  const result = checkProviders(definitions);
  return result.ok ? [] : result.mistakes;
};

t.test('accepts the providers of this service', async (t) => {
  t.same(checkProviders(PROVIDERS), { ok: true, value: PROVIDERS });
});

t.test('refuses duplicate ids and environment variables', async (t) => {
  const mistakes = mistakesOf(stytch, stytch);
  t.match(mistakes, ['Provider id "stytch" is used twice.']);
  t.ok(mistakes.includes('Environment variable STYTCH_SECRET is used twice.'));
});

t.test('refuses ids that cannot be a variable in a policy', async (t) => {
  for (const id of ['', 'Stytch', '1st', 'a-b', '__proto__', 'a'.repeat(33)]) {
    t.match(mistakesOf({ ...stytch, id }), [/is not lower snake case/], id);
  }
  for (const id of ['in', 'request', 'providers', 'constructor']) {
    t.match(mistakesOf({ ...stytch, id }), [/is a reserved word/], id);
  }
});

t.test('reports every mistake at once', async (t) => {
  const mistakes = mistakesOf({
    ...stytch,
    id: 'Bad',
    settings: { one: { env: 'lower', schema: z.string(), description: 'x' } },
    signals: z.object({}),
  });
  t.equal(mistakes.length, 4);
});
