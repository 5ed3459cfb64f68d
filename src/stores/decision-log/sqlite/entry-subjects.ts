import type { DecisionRecord } from '../../../domain/decision-log/decision-record.ts';
import {
  hashesOfPart,
  SUBJECT_PARTS,
  type SubjectPartName,
} from '../../../domain/decision-log/subject-parts.ts';

type RecordedSubject = DecisionRecord['subject'];

/** The number that stands for each part of a subject. */
export const PART_NUMBERS = {
  telemetry: 1,
  device: 2,
  account: 3,
  ip: 4,
  visitor: 5,
} as const satisfies Record<SubjectPartName, number>;
/** The network of an address, where its hash is another. */
const NETWORK = 6;

/** Those that a subject has one of. */
const HIDDEN = ['telemetry', 'account', 'ip', 'network', 'visitor'] as const;

const HEX_HASH = /^[\da-f]{32}$/;
const HASH_BYTES = 16;
const ENTRY_BYTES = 1 + HASH_BYTES;

/** The hashes of a subject, each once, as bytes; as JSON where one of them is no hash of ours. */
export function packSubject(subject: RecordedSubject): Uint8Array | string {
  const parts = SUBJECT_PARTS.flatMap((part) =>
    [...new Set(hashesOfPart(subject, part))].map((hash) => [PART_NUMBERS[part], hash] as const),
  );
  const { ip, network } = subject;
  const all = typeof network === 'string' && network !== ip ? [...parts, [NETWORK, network] as const] : parts;
  if (!all.every(([, hash]) => HEX_HASH.test(hash))) return JSON.stringify(all);
  const packed = Buffer.allocUnsafe(all.length * ENTRY_BYTES);
  all.forEach(([part, hash], place) => {
    packed[place * ENTRY_BYTES] = part;
    packed.write(hash, place * ENTRY_BYTES + 1, 'hex');
  });
  return packed;
}

/** A subject without the hashes that were packed: `true` stands for each. */
export type StoredSubject = Readonly<Record<string, unknown>>;

/** The subject with `true` for each hash that was packed, so that all of it can be shown again. */
export function hideSubject(subject: RecordedSubject, packed: unknown): StoredSubject {
  const isPlain = new Set(subject.devices).size === subject.devices.length;
  if (!(packed instanceof Uint8Array) || !isPlain) return subject;
  const hidden: Record<string, unknown> = { ...subject };
  for (const name of HIDDEN) if (typeof hidden[name] === 'string') hidden[name] = true;
  hidden['devices'] = subject.devices.map(() => true);
  return hidden;
}

/** The subject as it was before it was hidden. Throws with a `code` where what was packed is not its own. */
export function showSubject(hidden: StoredSubject, packed: unknown): RecordedSubject {
  const found = hashesByPart(packed);
  const show = (part: number): string => {
    const hash = found.get(part)?.shift();
    if (hash === undefined) throw Object.assign(new Error('a subject without a hash'), { code: 'DAMAGED' });
    return hash;
  };
  const shown: Record<string, unknown> = { ...hidden };
  for (const name of ['telemetry', 'account', 'ip', 'visitor'] as const)
    if (hidden[name] === true) shown[name] = show(PART_NUMBERS[name]);
  if (hidden['network'] === true) shown['network'] = found.has(NETWORK) ? show(NETWORK) : shown['ip'];
  const devices = hidden['devices'] as readonly unknown[];
  shown['devices'] = devices.map((device) => (device === true ? show(PART_NUMBERS.device) : device));
  // It was one, and has its hashes again.
  return shown as RecordedSubject;
}

/** Calls back for each part of what was packed; for what was not it does nothing. */
export function eachPart(packed: unknown, tell: (part: number, hash: Uint8Array) => void): void {
  if (typeof packed === 'string') {
    const parts = JSON.parse(packed) as readonly (readonly [number, string])[];
    for (const [part, hash] of parts) tell(part, toKey(hash));
  } else if (packed instanceof Uint8Array) {
    for (let at = 0; at < packed.length; at += ENTRY_BYTES)
      tell(packed[at] as number, packed.subarray(at + 1, at + ENTRY_BYTES));
  }
}

/** What was packed, as a record has it, without the key and the network. */
export function unpackSubject(packed: unknown): RecordedSubject {
  const found = hashesByPart(packed);
  const one = (part: number) => found.get(part)?.[0] ?? null;
  return {
    telemetry: one(PART_NUMBERS.telemetry),
    devices: found.get(PART_NUMBERS.device) ?? [],
    account: one(PART_NUMBERS.account),
    ip: one(PART_NUMBERS.ip),
    visitor: one(PART_NUMBERS.visitor),
  };
}

function hashesByPart(packed: unknown): Map<number, string[]> {
  const found = new Map<number, string[]>();
  eachPart(packed, (part, hash) => found.set(part, [...(found.get(part) ?? []), fromKey(hash)]));
  return found;
}

/** True where one of these hashes is among what was packed, as this part; an address also as its network. */
export function hasPart(packed: unknown, part: SubjectPartName, hashes: readonly string[]): boolean {
  let isFound = false;
  eachPart(packed, (number, hash) => {
    if (isFound || (number !== PART_NUMBERS[part] && !(part === 'ip' && number === NETWORK))) return;
    isFound = hashes.includes(fromKey(hash));
  });
  return isFound;
}

function toKey(hash: string): Uint8Array {
  return HEX_HASH.test(hash) ? Buffer.from(hash, 'hex') : Buffer.from(hash);
}

function fromKey(key: Uint8Array): string {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return key.length === HASH_BYTES ? bytes.toString('hex') : bytes.toString();
}
