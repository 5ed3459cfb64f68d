import { type LookupOptions, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** What a connection to an address that is not allowed ends with. */
export function refusedAddress(): Error {
  return Object.assign(new Error('the address is not allowed'), { code: 'ADDRESS_NOT_ALLOWED' });
}

/**
 * Looks names up as `node:dns` does, and refuses a name of which any address is not allowed: one of several
 * could be taken at the next try.
 */
export function lookUpAllowed(isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    const all: LookupOptions & { all: true } = { ...options, all: true };
    lookup(hostname, all, (error, addresses) => {
      if (error !== null) {
        callback(error, '', 4);
        return;
      }
      const [first] = addresses;
      if (first === undefined) callback(refusedAddress(), '', 4);
      else if (!addresses.every(({ address }) => isAllowed(address))) callback(refusedAddress(), '', 4);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
