import { hasText, readAddress, type Subject, type SubjectPart } from '../domain/subject.ts';
import type { GatewayHeaders, OriginalRequest } from './definition.ts';
import { singleValue } from './original-request.ts';
import type { GatewayProfile, IdPlace } from './profile.ts';

/**
 * The printable ASCII that is valid in headers, queries and cookies (the cookie-octets of RFC 6265). A comma
 * could be two joined values, which every hop splits differently.
 */
const ID = /^[!#-+\--:<-[\]-~]{1,256}$/;
const USER_AGENT_LENGTH_MAX = 1024;

/** The content of one place: one id, nothing, or something ambiguous. */
type Found = { readonly kind: 'id'; readonly id: string } | { readonly kind: 'none' | 'ambiguous' };

const NONE: Found = { kind: 'none' };
const AMBIGUOUS: Found = { kind: 'ambiguous' };

/** What one part of the subject comes to, or null where it can be read in more than one way. */
type FindPart = (original: OriginalRequest, profile: GatewayProfile) => Partial<Subject> | null;

/**
 * Where a profile says that each part of the subject stands. An id that is nowhere is missing, which the
 * policy judges.
 */
const FIND_PART: Readonly<Record<SubjectPart, FindPart>> = {
  telemetry_id: (original, { telemetryId }) =>
    toPart(findId(original, telemetryId), (id) => ({ telemetryId: id })),
  device_id: (original, { deviceId }) =>
    toPart(findId(original, deviceId), (id) => ({ device: { kind: 'shared', id } })),
  account_id: (original, { accountId }) =>
    toPart(findId(original, accountId), (id) => (id === null ? {} : { accountId: id })),
  ip: findAddress,
};

const FINDERS = Object.values(FIND_PART);

/** A subject without any id. */
export const EMPTY_SUBJECT: Subject = { telemetryId: null, device: { kind: 'shared', id: null } };

/** Who the original request is about, or null when an id is repeated or malformed. */
export function findSubject(original: OriginalRequest, profile: GatewayProfile): Subject | null {
  const subject = { ...EMPTY_SUBJECT, action: profile.action, userAgent: findUserAgent(original.headers) };
  for (const find of FINDERS) {
    const part = find(original, profile);
    if (part === null) return null;
    Object.assign(subject, part);
  }
  return subject;
}

function toPart(found: Found, convert: (id: string | null) => Partial<Subject>): Partial<Subject> | null {
  if (found.kind === 'ambiguous') return null;
  return convert(found.kind === 'id' ? found.id : null);
}

/**
 * The first place with any content decides, even if the content is malformed: a later place must not replace
 * it.
 */
function findId(original: OriginalRequest, places: readonly IdPlace[]): Found {
  for (const place of places) {
    const found = lookInto(original, place);
    if (found.kind !== 'none') return found;
  }
  return NONE;
}

function lookInto({ headers, target }: OriginalRequest, { kind, name }: IdPlace): Found {
  switch (kind) {
    case 'header':
      return judge(headers[name]);
    case 'query':
      return detach(judge(valuesInQuery(target, name)));
    case 'cookie':
      return detach(judge(valuesInCookies(headers['cookie'], name)));
  }
}

/** An id with memory of its own: it is ASCII. */
function detach(found: Found): Found {
  return found.kind === 'id' ? { kind: 'id', id: copyOf(found.id) } : found;
}

/**
 * The same text in memory of its own. What is cut out of a text keeps all of it in memory, and ids are
 * remembered: ten thousand of them would hold as many whole cookie fields.
 */
function copyOf(part: string): string {
  return Buffer.from(part).toString();
}

/** Null stands for a value that cannot be decoded. */
function judge(values: readonly (string | null)[] | undefined): Found {
  if (values === undefined || values.length === 0) return NONE;
  const [id] = values;
  if (values.length > 1 || id === null || id === undefined) return AMBIGUOUS;
  if (id === '') return NONE;
  return ID.test(id) ? { kind: 'id', id } : AMBIGUOUS;
}

/**
 * The values of a query field, decoded once (WHATWG URL: `+` is a space). A name that cannot be decoded does
 * not match.
 */
function valuesInQuery(target: string, name: string): (string | null)[] {
  const start = target.indexOf('?');
  if (start === -1) return [];
  const values: (string | null)[] = [];
  for (const pair of target.slice(start + 1).split('&')) {
    const equals = pair.indexOf('=');
    const field = equals === -1 ? pair : pair.slice(0, equals);
    if (decode(field) !== name) continue;
    values.push(equals === -1 ? '' : decode(pair.slice(equals + 1)));
  }
  return values;
}

function decode(text: string): string | null {
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A URIError: a bad escape, or bytes that are no UTF-8.
    return null;
  }
}

/** HTTP/2 may split the cookies into several fields; they are one list. */
function valuesInCookies(fields: readonly string[] | undefined, name: string): string[] {
  const values: string[] = [];
  for (const field of fields ?? []) {
    for (const pair of field.split(';')) {
      const equals = pair.indexOf('=');
      if (equals !== -1 && pair.slice(0, equals).trim() === name) values.push(pair.slice(equals + 1).trim());
    }
  }
  return values;
}

/**
 * The last address of the field is the one that the gateway saw; a client can set those before it. If the
 * profile names the field but it is not there, the address is unknown, never absent.
 */
function findAddress(
  { headers, address }: OriginalRequest,
  { ipHeader: name }: GatewayProfile,
): Pick<Subject, 'ip' | 'ipUnreadable'> {
  if (name === null) return hasText(address) ? readAddress(address) : {};
  const values = headers[name] ?? [];
  if (values.length > 1) return { ipUnreadable: 'repeated' };
  const [field = ''] = values;
  return field.trim() === ''
    ? { ipUnreadable: 'missing' }
    : readAddress(copyOf(field.slice(field.lastIndexOf(',') + 1)));
}

function findUserAgent(headers: GatewayHeaders): string | undefined {
  const value = singleValue(headers, 'user-agent');
  return value === null || value.length > USER_AGENT_LENGTH_MAX ? undefined : value;
}
