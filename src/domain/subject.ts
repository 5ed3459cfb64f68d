import { canonicalAddress } from './ip-address.ts';

/**
 * What a decision is about. Every field is chosen by the client or its caller, so nothing here is trusted;
 * none of it leaves the process but towards its provider.
 */
export interface Subject {
  /** Null when the caller had none: the same as an id the provider does not know. */
  readonly telemetryId: string | null;
  readonly device: DeviceIds;
  readonly action?: string | undefined;
  readonly accountId?: string | undefined;
  /**
   * The end user's address in its canonical spelling (ip-address.ts). Absent where nobody was to tell one,
   * and where it cannot be read.
   */
  readonly ip?: string | undefined;
  /** Why an address that was to be told cannot be read. It is then unknown, and never absent. */
  readonly ipUnreadable?: UnreadableAddress | undefined;
  readonly userAgent?: string | undefined;
  /**
   * What the caller tells of subject, resource and action beside their ids, as `subject.role=admin`. Absent
   * where the entry point takes none, and where they are more than can be read: then they are unknown.
   */
  readonly properties?: readonly string[] | undefined;
}

/** The entry point whose callers tell properties. */
export const AUTHZEN_ENTRY_POINT = 'authzen';

/** A gateway's field for the address is not there, stands there more than once, or holds no address. */
export const UNREADABLE_ADDRESSES = ['missing', 'repeated', 'malformed'] as const;

/** Why an address of a gateway's question cannot be read. */
export type UnreadableAddress = (typeof UNREADABLE_ADDRESSES)[number];

/** An address that was told, in its canonical spelling, or as one that cannot be read. */
export function readAddress(text: string): Pick<Subject, 'ip' | 'ipUnreadable'> {
  const ip = canonicalAddress(text);
  return ip === null ? { ipUnreadable: 'malformed' } : { ip };
}

/**
 * Either one id that every device API is asked about, or one id for each API that is named; the others are
 * then skipped.
 */
export type DeviceIds =
  | { readonly kind: 'shared'; readonly id: string | null }
  | { readonly kind: 'named'; readonly ids: ReadonlyMap<string, string | null> };

/** A part of the subject that a provider can be asked about. */
export type SubjectPart = 'telemetry_id' | 'device_id' | 'ip' | 'account_id';

/**
 * What one provider is to be asked: an id, or nothing, because the id is missing (not found), was left out
 * (skipped), or is there and cannot be read (unknown).
 */
export type Question =
  | { readonly kind: 'ask'; readonly id: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'unreadable' };

const MISSING: Question = { kind: 'missing' };
const SKIP: Question = { kind: 'skip' };
const UNREADABLE: Question = { kind: 'unreadable' };

/** All that differs between parts of the subject. */
interface SubjectPartTraits {
  /**
   * How a provider ends that is not asked because this part is absent. `not_found`: leaving an id out must
   * not be better than forging it. `skipped`: having none is usual.
   */
  readonly absence: 'not_found' | 'skipped';
  /**
   * The one spelling by which providers are asked about it, and its evidence is kept and purged; null for
   * text that cannot be one.
   */
  readonly spell: (text: string) => string | null;
  /** What the subject has of it for one provider: text, nothing, or why there is no text. */
  readonly read: (
    subject: Subject,
    provider: string,
    enabledDeviceProviders: readonly string[],
  ) => string | null | undefined | Question;
}

/** Text that is not well-formed Unicode cannot be sent as what it is, so no provider can know it. */
const asGiven = (text: string) => (text.isWellFormed() ? text : null);

/** Every part of the subject, in the order in which requests and documents name them. */
const SUBJECT_PARTS: Readonly<Record<SubjectPart, SubjectPartTraits>> = {
  telemetry_id: { absence: 'not_found', spell: asGiven, read: ({ telemetryId }) => telemetryId },
  device_id: { absence: 'not_found', spell: asGiven, read: readDeviceId },
  ip: {
    absence: 'skipped',
    spell: canonicalAddress,
    read: ({ ip, ipUnreadable }) => (ipUnreadable === undefined ? ip : UNREADABLE),
  },
  account_id: { absence: 'skipped', spell: asGiven, read: ({ accountId }) => accountId },
};

/** What to ask the provider `id`, given which device APIs are enabled. */
export function questionFor(
  subject: Subject,
  provider: { readonly id: string; readonly subject: SubjectPart },
  enabledDeviceProviders: readonly string[],
): Question {
  const { absence, spell, read } = SUBJECT_PARTS[provider.subject];
  const value = read(subject, provider.id, enabledDeviceProviders);
  if (typeof value === 'object' && value !== null) return value;
  if (!hasText(value)) return absence === 'skipped' ? SKIP : MISSING;
  const id = spell(value);
  if (id !== null) return { kind: 'ask', id };
  // Where absence says nothing, text that cannot be asked about must not pass for absent.
  return absence === 'skipped' ? UNREADABLE : MISSING;
}

/**
 * Naming no enabled device API at all counts as a missing device id, so that leaving all out is never a way
 * round the device check.
 */
function readDeviceId(
  { device }: Subject,
  provider: string,
  enabledDeviceProviders: readonly string[],
): string | null | Question {
  if (device.kind === 'shared') return device.id;
  const named = device.ids.get(provider);
  if (named !== undefined) return named;
  return enabledDeviceProviders.some((id) => device.ids.has(id)) ? SKIP : null;
}

/** The id as `questionFor` asks about it; null where it never does. */
export function spellPart(part: SubjectPart, text: string): string | null {
  return hasText(text) ? SUBJECT_PARTS[part].spell(text) : null;
}

/** The parts that some of these providers are asked about, in the order of the table. */
export function partsAskedAbout(
  providers: readonly { readonly subject: SubjectPart }[],
): readonly SubjectPart[] {
  const asked = new Set(providers.map(({ subject }) => subject));
  // `Object.keys` forgets that they are the keys of this table, which is closed.
  return (Object.keys(SUBJECT_PARTS) as SubjectPart[]).filter((part) => asked.has(part));
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

/**
 * The one spelling of an id and of all that a provider may take for the same: providers are free to tell no
 * upper case from lower case. Two ids are the same where this is.
 */
export function foldId(id: string): string {
  return id.toLowerCase();
}
