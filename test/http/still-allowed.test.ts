import { hash } from 'node:crypto';
import Fastify from 'fastify';
import t from 'tap';
import { loadKeyring } from '../../src/http/callers/api-keys.ts';
import { authenticate } from '../../src/http/plugins/authenticate.ts';
import { createManualClock } from '../support/test-app.ts';

const KEY = 'a key of this test';
const ENDS_MS = Date.UTC(2027, 0, 1);

function keyringOf(key: string, fields: object = {}) {
  const entry = { id: 'shop', sha256: hash('sha256', key), scopes: ['read'], ...fields };
  const loaded = loadKeyring(JSON.stringify({ keys: [entry] }));
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value;
}

t.test('says whether a request that was let in would be let in now', async (t) => {
  const clock = createManualClock(ENDS_MS - 1_000);
  const first = keyringOf(KEY, { not_after: new Date(ENDS_MS).toISOString() });
  let keyring = first;
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(authenticate, {
    keyring: () => keyring,
    clock,
    wrongKeysMax: 1,
    hasTestIds: false,
    traffic: { onRefused: () => {}, onIdempotentRequest: () => {} },
  });
  const answers: Record<string, boolean> = {};
  app.get('/', { config: { scope: 'read' } }, async (request) => {
    const note = (when: string) => {
      answers[when] = app.isStillAllowed(request);
    };
    note('at first');
    keyring = keyringOf(KEY, { scopes: ['read', 'decide'] });
    note('with another scope more');
    keyring = keyringOf(KEY, { scopes: ['decide', 'admin'] });
    note('without its scope');
    keyring = keyringOf('another key');
    note('without its key');
    keyring = first;
    clock.advance(1_000);
    note('after its end');
    return {};
  });
  await app.inject({ url: '/', headers: { authorization: `Bearer ${KEY}` } });
  t.same(answers, {
    'at first': true,
    'with another scope more': true,
    'without its scope': false,
    'without its key': false,
    'after its end': false,
  });
});
