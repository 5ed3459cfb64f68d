import { LRUCache } from 'lru-cache';
import type { PolicyTexts } from '../../../application/decision-log/policy-texts.ts';

/** Some kilobytes each; the log of a process has decisions of few. */
const TEXTS_MAX = 64;

/** The texts of the latest policies of this process. */
export function createMemoryPolicyTexts(): PolicyTexts {
  const texts = new LRUCache<string, string>({ max: TEXTS_MAX });
  return {
    keep: async (hash, text) => {
      texts.set(hash, text);
      return true;
    },
    find: async (hash) => texts.get(hash) ?? null,
  };
}
