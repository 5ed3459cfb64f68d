/**
 * Who used a telemetry id: keyed hashes by field, `account` and one `device:<provider>` for each device API.
 * A field that the caller did not give is absent.
 */
export type CustodyUser = Readonly<Record<string, string>>;

/** What is stored about one telemetry id. Safe to store: it holds no raw identifier. */
export interface CustodyBinding {
  /** Unix milliseconds. */
  readonly firstUsedAtMs: number;
  /** The number of decisions about it, by any caller. */
  readonly uses: number;
  /**
   * When the telemetry id itself expires, Unix milliseconds, as its provider last reported; null before that.
   */
  readonly validUntilMs: number | null;
  /**
   * True once a provider knew the telemetry id, or none could rule it out. The binding is then kept for its
   * full life.
   */
  readonly isKept: boolean;
  readonly user: CustodyUser;
}

/** How the user of a telemetry id compares with its holder. */
export interface CustodyFit {
  /** A field that both have differs, or both name devices but share no device API. */
  readonly isBoundElsewhere: boolean;
  /** The holder has given a device, and this use gives none. */
  readonly omitsDevice: boolean;
  /** The holder has given an account, and this use gives none. */
  readonly omitsAccount: boolean;
}

/** The result of one use of a telemetry id. */
export interface CustodyRecord extends CustodyFit {
  /** Including this use. */
  readonly uses: number;
  readonly firstUsedAtMs: number;
  readonly validUntilMs: number | null;
  /** False while the binding has its short life: it is only known that the telemetry id was used. */
  readonly isKept: boolean;
  /** Null where the store has not lost earlier bindings. */
  readonly loss: CustodyLoss | null;
}

/**
 * The store has lost its bindings, so the earlier users of an id are forgotten. Times are Unix milliseconds.
 */
export interface CustodyLoss {
  /** When the loss was noticed, which is never before it happened. */
  readonly noticedAtMs: number;
  /** When the last lost binding, of an id with unknown expiry, would have ended. */
  readonly overAtMs: number;
}

/**
 * The most that a provider's clock may be ahead of ours. New ids stay in doubt for this long after a loss.
 */
const CLOCK_SLACK_MS = 5_000;

/** The field that holds the account. */
export const ACCOUNT_FIELD = 'account';
/** The prefix of a device field; the provider's id follows. */
export const DEVICE_FIELD_PREFIX = 'device:';

/**
 * Records one use. `held` is null for the first. The Redis script repeats this, and one contract suite covers
 * both.
 */
export function useBinding(
  held: CustodyBinding | null,
  user: CustodyUser,
  nowMs: number,
): { readonly binding: CustodyBinding; readonly record: CustodyRecord } {
  const { firstUsedAtMs, uses: usesBefore, validUntilMs, isKept, user: holder } = held ?? newBinding(nowMs);
  const { isBoundElsewhere, omitsDevice, omitsAccount, isHolders } = compareUsers(holder, user);
  const uses = usesBefore + 1;
  // Only the holder binds fields: otherwise a thief could fill a field that the holder has not given yet.
  const bound = isHolders ? merge(holder, user) : holder;
  return {
    binding: { firstUsedAtMs, uses, validUntilMs, isKept, user: bound },
    record: {
      uses,
      firstUsedAtMs,
      isBoundElsewhere,
      omitsDevice,
      omitsAccount,
      validUntilMs,
      isKept,
      loss: null,
    },
  };
}

/**
 * True when the store may have forgotten who used the id first. The record cannot be trusted then: the first
 * user after the loss may be a thief, and the next one the owner. `createdAtMs` is when the id was created
 * (Unix milliseconds); an id that is younger than the loss had no binding to lose. Null where no provider
 * reports it.
 */
export function isInDoubt({ loss, firstUsedAtMs }: CustodyRecord, createdAtMs: number | null): boolean {
  if (loss === null) return false;
  if (createdAtMs === null) return firstUsedAtMs < loss.overAtMs;
  return createdAtMs < loss.noticedAtMs + CLOCK_SLACK_MS;
}

/**
 * Compares the user with the holder. The use is the holder's where a field is equal and none
 * differs. Where the holder has given nothing, every use counts as the holder's: there is nothing to compare.
 */
export function compareUsers(
  held: CustodyUser,
  user: CustodyUser,
): CustodyFit & { readonly isHolders: boolean } {
  let [hasCommon, hasCommonDevice, differs, namesDevice] = [false, false, false, false];
  for (const field of Object.keys(user)) {
    const isDevice = isDeviceField(field);
    namesDevice ||= isDevice;
    if (!Object.hasOwn(held, field)) continue;
    hasCommon = true;
    hasCommonDevice ||= isDevice;
    differs ||= held[field] !== user[field];
  }
  const heldFields = Object.keys(held);
  const holdsDevice = heldFields.some(isDeviceField);
  const isBoundElsewhere = differs || (holdsDevice && namesDevice && !hasCommonDevice);
  return {
    isBoundElsewhere,
    omitsDevice: holdsDevice && !namesDevice,
    omitsAccount: Object.hasOwn(held, ACCOUNT_FIELD) && !Object.hasOwn(user, ACCOUNT_FIELD),
    isHolders: !isBoundElsewhere && (hasCommon || heldFields.length === 0),
  };
}

/**
 * The holder after its own use: a field that it has not given before is bound by the first use that
 * has it.
 */
function merge(held: CustodyUser, user: CustodyUser): CustodyUser {
  for (const field in user) if (!Object.hasOwn(held, field)) return { ...user, ...held };
  return held;
}

function newBinding(nowMs: number): CustodyBinding {
  return { firstUsedAtMs: nowMs, uses: 0, validUntilMs: null, isKept: false, user: {} };
}

function isDeviceField(field: string): boolean {
  return field.startsWith(DEVICE_FIELD_PREFIX);
}
