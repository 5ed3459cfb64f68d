import { hash } from 'node:crypto';
import t from 'tap';
import type { DecisionLog } from '../../src/app/decision-log.ts';
import { keepPolicies } from '../../src/app/kept-policies.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';

const IN_FORCE = loadPolicyFile('default.yaml');
const OLD = `policy: old
otherwise: ALLOW
rules:
  - {id: gone, when: '!stytch.found', verdict: BLOCK, reason: GONE}
`;
/** It reads a signal that this version does not have. */
const OLDER = OLD.replace('!stytch.found', 'stytch.karma > 3');
const hashOf = (text: string) => `sha256:${hash('sha256', text)}`;

function open(texts: Readonly<Record<string, string>>) {
  const policies = { keep: () => {}, close: async () => {}, find: async (of: string) => texts[of] ?? null };
  return keepPolicies({
    inForce: () => IN_FORCE,
    providers: PROVIDERS,
    log: { policies } as unknown as DecisionLog,
  });
}

t.test('reads and compiles the text of a policy of before', async (t) => {
  const known = open({ [hashOf(OLD)]: OLD });
  t.match(await known.find(hashOf(OLD)), {
    document: { policy: 'old', rules: [{ id: 'gone', when: '!stytch.found' }] },
    compiled: { hash: hashOf(OLD), text: OLD, providerIds: PROVIDERS.map(({ id }) => id) },
  });
  t.equal(await known.find(hashOf('none')), null);
});

t.test('reads the rules of a policy that this version refuses', async (t) => {
  const known = open({ [hashOf(OLDER)]: OLDER });
  const found = await known.find(hashOf(OLDER));
  t.match(found, { document: { rules: [{ id: 'gone', when: 'stytch.karma > 3' }] }, compiled: null });
});

t.test('believes no text that has another hash, or is no policy', async (t) => {
  const [forged, odd] = [hashOf('another'), 'rules: [&anchor 1]'];
  const known = open({ [forged]: OLD, [hashOf(odd)]: odd, [hashOf('[]')]: '[]' });
  for (const asked of [forged, hashOf(odd), hashOf('[]')]) t.equal(await known.find(asked), null, asked);
});

t.test('knows the policy in force without a log', async (t) => {
  const known = keepPolicies({ inForce: () => IN_FORCE, providers: PROVIDERS, log: null });
  t.equal(known.current(), IN_FORCE);
  t.match(known.find(IN_FORCE.hash), { compiled: IN_FORCE });
  t.equal(await known.find('sha256:other'), null);
});
