import { LRUCache } from 'lru-cache';
import type { Clock } from '../../application/ports.ts';
import { networkOfAddress } from '../../domain/ip-address.ts';

/** Counts wrong keys by address. */
interface WrongKeys {
  /** Notes one more, and returns the seconds until the address may try again, or null while it may. */
  note(address: string | undefined): number | null;
}

interface WrongKeysOptions {
  readonly clock: Clock;
  /** How many an address may present in one window. */
  readonly max: number;
}

/** A window in which a person or a deployment with an old key notices, and a guesser is slowed. */
const WINDOW_MS = 60_000;
/** At some 200 bytes an entry this is 2 MB. Whoever commands more networks than this is not stopped by counting them. */
const ADDRESSES_MAX = 10_000;
/** One address of IPv4, and one subscriber's share of IPv6 (RFC 6177): every address in it is as cheap as one. */
const PREFIXES = { 4: 32, 6: 64 } as const;

/** Builds the counter; in memory, bounded, and of one process. */
export function createWrongKeys({ clock, max }: WrongKeysOptions): WrongKeys {
  const windows = new LRUCache<string, { count: number; readonly endsAtMs: number }>({ max: ADDRESSES_MAX });
  return {
    note: (address) => {
      const network = networkOfAddress(address ?? '', PREFIXES) ?? 'none';
      const nowMs = clock.monotonicMs();
      let window = windows.get(network);
      if (window === undefined || window.endsAtMs <= nowMs) {
        window = { count: 0, endsAtMs: nowMs + WINDOW_MS };
        windows.set(network, window);
      }
      window.count += 1;
      return window.count <= max ? null : Math.ceil((window.endsAtMs - nowMs) / 1000);
    },
  };
}
