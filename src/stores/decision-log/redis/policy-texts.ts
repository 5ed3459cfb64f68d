import type { PolicyTexts } from '../../../application/decision-log/policy-texts.ts';
import { RiskgateError } from '../../../domain/errors.ts';
import type { RedisHandle } from '../../redis/handle.ts';

/** The texts of policies in a key each, which does not expire. */
export function createRedisPolicyTexts({ client, guard, keys }: RedisHandle): PolicyTexts {
  return {
    keep: async (hash, text) => {
      // Nothing is replaced: a text is the one of its hash.
      const reply = await guard.run(async () => ({ set: await client.set(keys.policy(hash), text, 'NX') }));
      return reply !== null;
    },
    find: async (hash) => {
      const reply = await guard.run(async () => ({ text: await client.get(keys.policy(hash)) }));
      if (reply === null) throw new RiskgateError('store_unavailable', 'Redis did not give a policy.');
      return reply.text;
    },
  };
}
