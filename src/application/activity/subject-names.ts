import { ACTIVITY_PARTS, type ActivityPart, SEEN_KINDS } from '../../domain/activity/activity-parts.ts';
import type { SeenNames } from '../../domain/activity/activity-state.ts';
import { nameOfHash, nameOfPlace, nameOfText } from '../../domain/activity/seen-name.ts';
import { type DeviceIds, hasText, type Subject } from '../../domain/subject.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import type { RecordHashes } from '../decision-log/to-decision-record.ts';
import type { ActivityEntity } from './activity-store.ts';
import type { EvidenceOrigin } from './read-evidence.ts';

/** Keyed hashes under one key: those of the decision log. */
export type ActivityHashes = Pick<RecordHashes, 'keyId' | 'telemetry' | 'device' | 'account' | 'network'>;

/** The names of a subject for its activity under one hash key; null for what it lacks. */
export interface SubjectNames {
  readonly account: string | null;
  readonly device: string | null;
  readonly ip: string | null;
  readonly telemetry: string | null;
  readonly visitor: string | null;
  /** One for each identifier. */
  readonly hardware: readonly string[];
}

/** A subject under one hash key, and the values that its request is seen with. */
export interface NamedSubject {
  readonly names: SubjectNames;
  readonly seen: SeenNames;
  /** Which hash key that is, counted from the one in force. */
  readonly keyPlace: number;
}

/** Names a subject, of which no evidence is there yet, under every hash key. */
export type NameSubject = (subject: Subject) => readonly NamedSubject[];

/**
 * Remembers the latest subject: a decision whose evidence is at hand asks for it and counts it in one turn of
 * the event loop.
 */
export function createNameSubject(hashes: readonly ActivityHashes[]): NameSubject {
  let latest: { readonly subject: Subject; readonly named: readonly NamedSubject[] } | null = null;
  return (subject) => {
    if (latest?.subject !== subject) {
      const named = hashes.map((under, keyPlace) => {
        const names = toSubjectNames(subject, under);
        return { names, seen: toSeenNames(names), keyPlace };
      });
      latest = { subject, named };
    }
    return latest.named;
  };
}

/** The names of a subject, of which no evidence is there yet. */
export function toSubjectNames(subject: Subject, hashes: ActivityHashes): SubjectNames {
  const { telemetryId, accountId, ip } = subject;
  const device = deviceOf(subject.device);
  return {
    account: hasText(accountId) ? hashes.account(accountId) : null,
    device: device === null ? null : hashes.device(device),
    ip: hasText(ip) ? hashes.network(ip) : null,
    telemetry: hasText(telemetryId) ? hashes.telemetry(telemetryId) : null,
    visitor: null,
    hardware: [],
  };
}

/** What evidence names, under the hash key in force, and what that is called under others. */
type NamedByEvidence = Pick<EvidenceOrigin, 'visitor' | 'hardware' | 'otherNames'>;

/**
 * The same with what evidence names. The key in force stands first; what evidence does not name under another
 * key, because whoever asked for it did not know that key, is not there.
 */
export function withEvidence(
  names: SubjectNames,
  { visitor, hardware, otherNames }: NamedByEvidence,
  place: number,
  keyId: string,
): SubjectNames {
  if (place === 0) return { ...names, visitor, hardware };
  const nameOf = (hash: string) => otherNames[hash]?.[keyId] ?? null;
  return {
    ...names,
    visitor: visitor === null ? null : nameOf(visitor),
    hardware: hardware.map(nameOf).filter((name) => name !== null),
  };
}

/** Where there is one id for each device API, the first of them stands for the device, as in records. */
function deviceOf(device: DeviceIds): string | null {
  if (device.kind === 'shared') return hasText(device.id) ? device.id : null;
  for (const id of device.ids.values()) if (hasText(id)) return id;
  return null;
}

/** The values that a request is seen with, of which no evidence is there yet. */
export function toSeenNames(names: SubjectNames): SeenNames {
  const seen: (number | null)[] = SEEN_KINDS.map(() => null);
  seen[ACCOUNTS] = nameOf(names.account);
  seen[DEVICES] = nameOf(names.device);
  seen[IPS] = nameOf(names.ip);
  seen[TELEMETRY_IDS] = nameOf(names.telemetry);
  return seen;
}

const ACCOUNTS = SEEN_KINDS.indexOf('accounts');
const DEVICES = SEEN_KINDS.indexOf('devices');
const IPS = SEEN_KINDS.indexOf('ips');
const TELEMETRY_IDS = SEEN_KINDS.indexOf('telemetry_ids');
const COUNTRIES = SEEN_KINDS.indexOf('countries');
const ASNS = SEEN_KINDS.indexOf('asns');
const PLACES = SEEN_KINDS.indexOf('places');

/** The same with where evidence says that the request comes from. */
export function withSeenPlace(
  seen: SeenNames,
  { country, asn, coordinates = null }: SubjectPlace,
): SeenNames {
  const whole = [...seen];
  whole[COUNTRIES] = country === null ? null : nameOfText(country);
  whole[ASNS] = asn;
  whole[PLACES] = coordinates === null ? null : nameOfPlace(coordinates);
  return whole;
}

function nameOf(hash: string | null): number | null {
  return hash === null ? null : nameOfHash(hash);
}

/** The entities of a subject, in the order of the parts. */
export function toEntities(names: SubjectNames): readonly ActivityEntity[] {
  const entities: ActivityEntity[] = [];
  for (const part of ACTIVITY_PARTS) {
    for (const hash of hashesOf(names, part)) entities.push({ part, hash });
  }
  return entities;
}

/** The hashes that a part is known by; none where the subject lacks it. */
export function hashesOf(names: SubjectNames, part: ActivityPart): readonly string[] {
  if (part === 'hardware') return names.hardware;
  const hash = names[part];
  return hash === null ? [] : [hash];
}
