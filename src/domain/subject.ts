/** What a decision is about. Every field is chosen by the client or its caller, so nothing here is trusted; none of it leaves the process but towards its provider. */
export interface Subject {
  /** Null when the caller had none: the same as an id the provider does not know. */
  readonly telemetryId: string | null;
  readonly device: DeviceIds;
  readonly action?: string | undefined;
  readonly accountId?: string | undefined;
  /** The end user's address in its canonical spelling (ip-address.ts). Absent where nobody was to tell one, and where it cannot be read. */
  readonly ip?: string | undefined;
  /** Why an address that was to be told cannot be read. It is then unknown, and never absent. */
  readonly ipUnreadable?: UnreadableAddress | undefined;
  readonly userAgent?: string | undefined;
}

/** A gateway's field for the address is not there, stands there more than once, or holds no address. */
export const UNREADABLE_ADDRESSES = ['missing', 'repeated', 'malformed'] as const;
export type UnreadableAddress = (typeof UNREADABLE_ADDRESSES)[number];

/** Either one id that every device API is asked about, or one id for each API that is named; the others are then skipped. */
export type DeviceIds =
  | { readonly kind: 'shared'; readonly id: string | null }
  | { readonly kind: 'named'; readonly ids: ReadonlyMap<string, string | null> };

/** Which part of the subject a provider is asked about. */
export type SubjectPart = 'telemetry_id' | 'device_id';

/** What one provider is to be asked: an id, nothing because the id is missing (not found), or nothing because it was left out on purpose. */
export type Question =
  | { readonly kind: 'ask'; readonly id: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'skip' };

const MISSING: Question = { kind: 'missing' };
const SKIP: Question = { kind: 'skip' };

/** What to ask the provider `id`, given which device APIs are enabled. Naming no enabled device API at all counts as a missing device id, so that leaving all out is never a way round the device check. */
export function questionFor(
  subject: Subject,
  provider: { readonly id: string; readonly subject: SubjectPart },
  enabledDeviceProviders: readonly string[],
): Question {
  if (provider.subject === 'telemetry_id') return toQuestion(subject.telemetryId);
  const { device } = subject;
  if (device.kind === 'shared') return toQuestion(device.id);
  const named = device.ids.get(provider.id);
  if (named !== undefined) return toQuestion(named);
  return enabledDeviceProviders.some((id) => device.ids.has(id)) ? SKIP : MISSING;
}

/** True when the subject has an id for at least one enabled device API. */
export function hasDeviceId(subject: Subject, enabledDeviceProviders: readonly string[]): boolean {
  const { device } = subject;
  if (device.kind === 'shared') return hasText(device.id);
  return enabledDeviceProviders.some((id) => hasText(device.ids.get(id)));
}

/** True when the subject has an id for any device API, whether or not one is enabled. */
export function givesDeviceId({ device }: Subject): boolean {
  return device.kind === 'shared' ? hasText(device.id) : [...device.ids.values()].some(hasText);
}

/** True for a string with at least one character. An empty id is a missing id. */
export function hasText(id: string | null | undefined): id is string {
  return typeof id === 'string' && id.length > 0;
}

/** Text that is not well-formed Unicode cannot be sent as what it is, so no provider can know it. */
function toQuestion(id: string | null): Question {
  return hasText(id) && id.isWellFormed() ? { kind: 'ask', id } : MISSING;
}

/** The one spelling of an id and of all that a provider may take for the same: providers are free to tell no upper case from lower case. Two ids are the same where this is. */
export function foldId(id: string): string {
  return id.toLowerCase();
}
