import type { Caller, Keyring } from './api-keys.ts';

/**
 * Finds who holds a presented key as the keyring in force does, and remembers right keys until another one is
 * in force: a file names up to a thousand, and each is compared with every presented one. What does not match
 * is compared each time, and never remembered here. At most as many are remembered as the file has keys.
 */
export function rememberHolders(keyring: () => Keyring): Pick<Keyring, 'find'> {
  const holders = new Map<string, Caller>();
  let inForce: Keyring | null = null;
  return {
    find: (token) => {
      const current = keyring();
      if (current !== inForce) {
        inForce = current;
        holders.clear();
      }
      const known = holders.get(token);
      if (known !== undefined) return known;
      const holder = current.find(token);
      if (holder !== null) holders.set(token, holder);
      return holder;
    },
  };
}
