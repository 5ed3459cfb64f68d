import { LRUCache } from 'lru-cache';
import type { Clock } from '../../application/clock.ts';
import { networkOfAddress } from '../../domain/ip-address.ts';
import { boundedTo } from '../../platform/lru-bound.ts';

/** Counts wrong keys by address. */
interface WrongKeys {
  /** Notes one more, and returns the seconds until the address may try again, or null while it may. */
  note(address: string | undefined): number | null;
}

interface WrongKeysOptions {
  readonly clock: Clock;
  /** How many wrong keys an address may present in one window. */
  readonly max: number;
}

/** Short enough for a person or a deployment with an old key, long enough to slow down guessing. */
const WINDOW_MS = 60_000;
/**
 * At about 200 bytes an entry this is 2 MB. Counting does not stop an attacker with more networks than this.
 */
const ADDRESSES_MAX = 10_000;
/**
 * One IPv4 address, or one subscriber's share of IPv6 (RFC 6177), all of whose addresses cost the subscriber
 * nothing.
 */
const PREFIXES = { 4: 32, 6: 64 } as const;

/** Builds the counter; in memory, bounded, and of one process. */
export function createWrongKeys({ clock, max }: WrongKeysOptions): WrongKeys {
  const windows = new LRUCache<string, { count: number; readonly endsAtMs: number }>(
    boundedTo(ADDRESSES_MAX),
  );
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
