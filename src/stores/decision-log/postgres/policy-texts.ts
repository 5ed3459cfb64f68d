import type { PolicyTexts } from '../../../application/decision-log/policy-texts.ts';
import type { ReadPool } from './read-pool.ts';

/** The texts of policies in a table of their own, which nothing is removed from. */
export function createPolicyTexts(pool: ReadPool): PolicyTexts {
  return {
    keep: async (hash, text) => {
      const insert = 'INSERT INTO riskgate.policies (hash, body) VALUES ($1, $2) ON CONFLICT DO NOTHING';
      try {
        await pool.rows(insert, [hash, Buffer.from(text)]);
        return true;
      } catch {
        // `store_unavailable`: it is tried again.
        return false;
      }
    },
    find: async (hash) => {
      const [row] = await pool.rows<{ body: Buffer }>('SELECT body FROM riskgate.policies WHERE hash = $1', [
        hash,
      ]);
      return row === undefined ? null : row.body.toString();
    },
  };
}
