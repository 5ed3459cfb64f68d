import type { DecisionRecord } from './decision-record.ts';

/** The parts of a subject whose keyed hashes a record holds. */
export const SUBJECT_PARTS = ['telemetry', 'device', 'account', 'ip', 'visitor'] as const;

/** A part of a subject, as the log names it. */
export type SubjectPartName = (typeof SUBJECT_PARTS)[number];

type RecordedSubject = DecisionRecord['subject'];

/** The hashes of one part: several devices where the caller named several, none where there was no id. */
export function hashesOfPart(subject: RecordedSubject, part: SubjectPartName): readonly string[] {
  if (part === 'device') return subject.devices;
  const hash = subject[part];
  return hash === null || hash === undefined ? [] : [hash];
}

/** What a decision is found by: those hashes, and for an address that of its network too. */
export function searchedHashesOf(subject: RecordedSubject, part: SubjectPartName): readonly string[] {
  const hashes = hashesOfPart(subject, part);
  const { network } = subject;
  const isMore = part === 'ip' && network !== null && network !== undefined && !hashes.includes(network);
  return isMore ? [...hashes, network] : hashes;
}
