import { hasText } from '../subject.ts';
import { type EventMeaning, meaningOf, type SharedPart, type SharedSignal } from './shared-events.ts';

/** Claims of a security event token (RFC 8417) that was verified. */
export type SetClaims = Readonly<Record<string, unknown>>;

/**
 * What a token tells: signals, none where it tells of nothing that is read here, or what is wrong with it.
 * `future`: it happened later than now, by more than clocks differ.
 */
type ReadClaims =
  | { readonly kind: 'signals'; readonly signals: readonly SharedSignal[] }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wrong'; readonly detail: string };

/** How far ahead the transmitter's clock may be. */
export const CLOCK_AHEAD_MS_MAX = 120_000;
/** Seconds beyond the year 5000 are milliseconds, which drafts of CAEP had. */
const SECONDS_MAX = 1e11;
/** A longer identifier is none of ours. */
const ID_LENGTH_MAX = 256;

const NOTHING: ReadClaims = { kind: 'nothing' };

/** Reads what a token tells. Subjects are read by RFC 9493, from `sub_id`, or as drafts had them. */
export function readClaims(claims: SetClaims, nowMs: number): ReadClaims {
  const events = isObject(claims['events']) ? Object.entries(claims['events']) : [];
  const [first, ...others] = events;
  if (first === undefined || others.length > 0) return wrong('`events` must hold one event');
  const [type, body] = first;
  if (!isObject(body)) return wrong('an event must be an object');
  const meaning = meaningOf(type, body);
  if (meaning === 'unknown') return NOTHING;
  if (meaning === null) return wrong('the event lacks what its type requires');
  const atMs = timeOf(claims, body);
  if (atMs === null) return wrong('the time of the event is no number');
  if (atMs > nowMs + CLOCK_AHEAD_MS_MAX) return wrong('the event is in the future');
  const subjects = findSubjects(claims['sub_id'] ?? body['subject'], meaning);
  if (subjects === null) return wrong('the subject is not in a format of RFC 9493');
  if (subjects.length === 0) return NOTHING;
  return { kind: 'signals', signals: toSignals(meaning, subjects, Math.min(atMs, nowMs)) };
}

interface Named {
  readonly part: SharedPart;
  readonly id: string;
}

function toSignals(meaning: EventMeaning, subjects: readonly Named[], atMs: number): readonly SharedSignal[] {
  return subjects.flatMap(({ part, id }) => [
    ...meaning.begins.map((event) => ({ event, isEnded: false, part, id, atMs })),
    ...meaning.ends.map((event) => ({ event, isEnded: true, part, id, atMs })),
  ]);
}

/** When it happened, else when the token says so, else when it was issued. */
function timeOf(claims: SetClaims, body: Readonly<Record<string, unknown>>): number | null {
  const time = body['event_timestamp'] ?? claims['toe'] ?? claims['iat'];
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0) return null;
  return Math.round(time > SECONDS_MAX ? time : time * 1000);
}

/** The accounts and devices that a subject names; null for what is no subject. */
function findSubjects(subject: unknown, { part }: EventMeaning): readonly Named[] | null {
  if (!isObject(subject)) return null;
  // Of complex subjects drafts left the format out.
  const isComplex =
    subject['format'] === 'complex' ||
    (subject['format'] === undefined && ('user' in subject || 'device' in subject));
  if (!isComplex) return toNamed(part, subject);
  const user = subject['user'] === undefined ? [] : toNamed('account', subject['user']);
  const device = subject['device'] === undefined ? [] : toNamed('device', subject['device']);
  return user === null || device === null ? null : [...user, ...device];
}

/** The member that identifies, by format. */
const IDENTIFIERS: Readonly<Record<string, string>> = {
  opaque: 'id',
  iss_sub: 'sub',
  email: 'email',
  phone_number: 'phone_number',
  account: 'uri',
  did: 'url',
  uri: 'uri',
};

function toNamed(part: SharedPart, subject: unknown): readonly Named[] | null {
  if (!isObject(subject)) return null;
  const named = subject['format'] ?? subject['subject_type'];
  const format = typeof named === 'string' ? named : '';
  if (format === 'aliases') {
    const aliases = subject['identifiers'];
    if (!Array.isArray(aliases) || aliases.length === 0 || aliases.length > ALIASES_MAX) return null;
    const named = aliases.map((alias) => (isAliases(alias) ? null : toNamed(part, alias)));
    return named.includes(null) ? null : named.flatMap((each) => each ?? []);
  }
  const member = Object.hasOwn(IDENTIFIERS, format) ? IDENTIFIERS[format] : undefined;
  const id = member === undefined ? undefined : subject[member];
  return typeof id === 'string' && hasText(id) && id.length <= ID_LENGTH_MAX ? [{ part, id }] : null;
}

const ALIASES_MAX = 8;

/** RFC 9493 forbids aliases within aliases. */
function isAliases(subject: unknown): boolean {
  return isObject(subject) && subject['format'] === 'aliases';
}

function wrong(detail: string): ReadClaims {
  return { kind: 'wrong', detail };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
