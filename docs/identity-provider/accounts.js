import { randomInt, scryptSync, timingSafeEqual } from 'node:crypto';

const CODE_ATTEMPTS_MAX = 3;
const CODE_LIVES_MS = 5 * 60_000;

/**
 * People with passwords, and one-time codes that are handed to `deliver`. In the place of your own directory and
 * second factor: codes are in memory.
 */
export function createAccounts({ people, deliver }) {
  const codes = new Map();
  return {
    /** The id of the account, or null. */
    checkPassword: async (user, password) => {
      const person = people.find(({ name }) => name === user);
      // A password of nobody takes as long.
      const { salt, hash } = person ?? { salt: 'none', hash: Buffer.alloc(32) };
      const isRight = timingSafeEqual(scryptSync(password, salt, 32), hash);
      return isRight && person !== undefined ? person.id : null;
    },
    sendCode: async (accountId) => {
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      codes.set(accountId, { code, attempts: 0, endsAtMs: Date.now() + CODE_LIVES_MS });
      await deliver(accountId, code);
    },
    /** `right` once; `wrong` may be tried again; `spent` may not. */
    checkCode: async (accountId, text) => {
      const sent = codes.get(accountId);
      if (sent === undefined || sent.endsAtMs < Date.now()) return 'spent';
      sent.attempts += 1;
      const isRight = text === sent.code;
      if (isRight || sent.attempts >= CODE_ATTEMPTS_MAX) codes.delete(accountId);
      if (isRight) return 'right';
      return sent.attempts < CODE_ATTEMPTS_MAX ? 'wrong' : 'spent';
    },
  };
}
