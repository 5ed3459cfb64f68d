import { z } from 'zod';
import type { RecordHashes } from '../../application/decision-log/to-decision-record.ts';
import type { SubjectPartName } from '../../domain/decision-log/subject-parts.ts';
import { canonicalAddress } from '../../domain/ip-address.ts';
import type { SubjectPart } from '../../domain/subject.ts';
import { SUBJECT_IDS } from './subject.ts';

/** The body of POST /v1/subjects/find. */
export const findSubjectBodySchema = z.strictObject({
  telemetry_id: SUBJECT_IDS.telemetry_id.optional(),
  device_id: SUBJECT_IDS.device_id.optional(),
  account_id: SUBJECT_IDS.account_id.optional(),
  ip: SUBJECT_IDS.ip.optional(),
});

/** The checked body. */
export type FindSubjectBody = z.output<typeof findSubjectBodySchema>;

const PARTS = {
  telemetry_id: 'telemetry',
  device_id: 'device',
  account_id: 'account',
  ip: 'ip',
} as const satisfies Readonly<Record<SubjectPart, SubjectPartName>>;

/** The answer of POST /v1/subjects/find. */
export const foundSubjectSchema = z.object({
  part: z.enum(['telemetry', 'device', 'account', 'ip']),
  hashes: z
    .array(
      z.object({
        hash_key: z.string().describe('The id of the hash key (`subject.hash_key` in records).'),
        hash: z.string().describe('The keyed hash, as records have it.'),
      }),
    )
    .describe('Under each hash key that is configured, the one in force first.'),
});

type FoundSubject = z.output<typeof foundSubjectSchema>;

/** The keyed hashes of the one identifier of a body; null unless there is exactly one that can be read. */
export function toFoundSubject(body: FindSubjectBody, hashes: readonly RecordHashes[]): FoundSubject | null {
  const given = Object.entries(body).filter((pair): pair is [SubjectPart, string] => pair[1] !== undefined);
  const [field, text] = given[0] ?? [];
  if (field === undefined || text === undefined || given.length > 1) return null;
  const part = PARTS[field];
  const id = part === 'ip' ? canonicalAddress(text) : text;
  if (id === null) return null;
  return { part, hashes: hashes.map((under) => ({ hash_key: under.keyId, hash: under[part](id) })) };
}
