/** Whose use a telemetry id was: keyed hashes by field, `account` and one `device:<provider>` for each device API. A field that the caller did not give is absent. */
export type CustodyClaim = Readonly<Record<string, string>>;

/** What is kept of one telemetry id. Safe to store: it holds no raw identifier. */
export interface CustodyBinding {
  /** Unix milliseconds. */
  readonly firstUsedAtMs: number;
  /** Decisions that asked for it, whoever asked. */
  readonly uses: number;
  /** When the telemetry id itself expires, Unix milliseconds, as its provider said last; null until it has. */
  readonly validUntilMs: number | null;
  /** True once anybody knew the telemetry id, or could not say that nobody does: it is then kept for its full life. */
  readonly isKept: boolean;
  readonly claim: CustodyClaim;
}

/** How the claim of a use fits what its holder is known by. */
export interface CustodyFit {
  /** A field that both have differs, or both have devices and not one device API in common. */
  readonly isBoundElsewhere: boolean;
  /** The holder has given a device, and this use names none. */
  readonly omitsDevice: boolean;
  /** Likewise of the account. */
  readonly omitsAccount: boolean;
}

/** What one use of a telemetry id came to. */
export interface CustodyRecord extends CustodyFit {
  /** This use included. */
  readonly uses: number;
  readonly firstUsedAtMs: number;
  readonly validUntilMs: number | null;
  /** False while the binding ends soon: all that is known of the telemetry id is that it was used. */
  readonly isKept: boolean;
  /** Null where no binding of before has been missed. */
  readonly loss: CustodyLoss | null;
}

/** The store has come back without its bindings: who used an id before that is forgotten. Unix milliseconds. */
export interface CustodyLoss {
  /** When that was noticed, which is never before it came about. */
  readonly noticedAtMs: number;
  /** When a binding of before whose id nobody knew the expiry of would have run out. */
  readonly overAtMs: number;
}

/** By how much a provider's clock may run ahead of ours; it is as long again until new ids are above doubt. */
const CLOCK_SLACK_MS = 5_000;

/** The field that holds the account. */
export const ACCOUNT_FIELD = 'account';
/** What the field of a device begins with; the provider's id follows. */
export const DEVICE_FIELD_PREFIX = 'device:';

/** Records one use. `held` is null for the first. The Redis script repeats this, and one contract suite covers both. */
export function useBinding(
  held: CustodyBinding | null,
  claim: CustodyClaim,
  nowMs: number,
): { readonly binding: CustodyBinding; readonly record: CustodyRecord } {
  const { claim: heldClaim, ...kept } = held ?? newBinding(nowMs);
  const { isHolders, ...fit } = compareClaims(heldClaim, claim);
  const used = { ...kept, uses: kept.uses + 1 };
  return {
    // Who is not the holder binds nothing: otherwise a thief could fill a field that the holder has not given yet.
    binding: { ...used, claim: isHolders ? merge(heldClaim, claim) : heldClaim },
    record: { ...used, ...fit, loss: null },
  };
}

/**
 * True when the store may have forgotten who used the id first, so that nothing of the record can be believed: the first to come after the loss may be a thief, and whoever comes next its owner.
 * `createdAtMs` is when the id came to be (Unix milliseconds): one that is younger than the loss had no binding to lose. Null where nobody says.
 */
export function isInDoubt({ loss, firstUsedAtMs }: CustodyRecord, createdAtMs: number | null): boolean {
  if (loss === null) return false;
  if (createdAtMs === null) return firstUsedAtMs < loss.overAtMs;
  return createdAtMs < loss.noticedAtMs + CLOCK_SLACK_MS;
}

/** Compares a use with what the holder is known by. It is the holder's where a field is the same and none differs, and anybody's where the holder has given nothing: nobody can be told apart then. */
export function compareClaims(
  held: CustodyClaim,
  claim: CustodyClaim,
): CustodyFit & { readonly isHolders: boolean } {
  const heldFields = Object.keys(held);
  const common = Object.keys(claim).filter((field) => Object.hasOwn(held, field));
  const holdsDevice = heldFields.some(isDeviceField);
  const claimsDevice = Object.keys(claim).some(isDeviceField);
  const isBoundElsewhere =
    common.some((field) => held[field] !== claim[field]) ||
    (holdsDevice && claimsDevice && !common.some(isDeviceField));
  return {
    isBoundElsewhere,
    omitsDevice: holdsDevice && !claimsDevice,
    omitsAccount: Object.hasOwn(held, ACCOUNT_FIELD) && !Object.hasOwn(claim, ACCOUNT_FIELD),
    isHolders: !isBoundElsewhere && (common.length > 0 || heldFields.length === 0),
  };
}

/** What the holder is known by after a use of its own: a field that it had not given before is bound by the first use that has it. */
function merge(held: CustodyClaim, claim: CustodyClaim): CustodyClaim {
  for (const field in claim) if (!Object.hasOwn(held, field)) return { ...claim, ...held };
  return held;
}

function newBinding(nowMs: number): CustodyBinding {
  return { firstUsedAtMs: nowMs, uses: 0, validUntilMs: null, isKept: false, claim: {} };
}

function isDeviceField(field: string): boolean {
  return field.startsWith(DEVICE_FIELD_PREFIX);
}
