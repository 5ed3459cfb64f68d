import type { CustodyRecord, CustodyUser } from '../../domain/custody.ts';

/** A telemetry id and who uses it, as one hash key names them. */
export interface CustodyName {
  readonly key: string;
  readonly user: CustodyUser;
}

/**
 * Binds telemetry ids to their first users. Keys and users are keyed hashes only. A store never rejects and
 * never throws.
 */
export interface CustodyStore {
  /**
   * Records one use in one atomic step, under every name of the id; the first name is that of the hash key in
   * force. Fields that are not bound yet are bound, unless the use is not the holder's. Null where this
   * failed or its result is not known: custody is then unknown, and never a first use.
   */
  use(names: readonly CustodyName[]): CustodyRecord | null | Promise<CustodyRecord | null>;
  /**
   * Keeps the binding for its full life, or until the telemetry id itself expires (Unix milliseconds, null
   * where unknown) if that is later. Without this call a binding ends soon after its latest use. Nothing
   * shortens a life. Does not wait for a remote store.
   */
  keep(keys: readonly string[], validUntilMs: number | null): void;
  /**
   * Forgets the binding under all its names, so that the next use is a first use. How many bindings that were:
   * 1 or 0; null where the store may still have it.
   */
  forget(keys: readonly string[]): number | null | Promise<number | null>;
}
