import { z } from 'zod';
import { LIST_KNOWLEDGE } from '../../application/lists/list-store.ts';
import { toEntryRecord } from '../../application/lists/to-entry-record.ts';
import type { RememberedSubject } from '../../application/subject-memory/read-memory.ts';
import { listEntrySchema } from '../../domain/decision-log/event-record.ts';
import { SUBJECT_PARTS } from '../../domain/decision-log/subject-parts.ts';
import { KEPT_TOLD_MAX } from '../../domain/step-up/step-up.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import type { SubjectParams } from './subject-history.ts';

const time = z.string().meta({ format: 'date-time' });

/** The answer of GET /v1/subjects/{part}/{hash}/memory. */
export const subjectMemorySchema = z.object({
  part: z.enum(SUBJECT_PARTS),
  hash: z.string(),
  lists: z
    .array(z.object({ list: z.string(), entry: listEntrySchema }))
    .describe(
      'The entries in force that name it. A network that is listed as it is names none of its addresses by a hash.',
    ),
  lists_knowledge: z.enum(LIST_KNOWLEDGE).describe('How well this replica knows the lists.'),
  step_ups: z
    .array(
      z.object({
        at: time.describe('When the challenge was completed.'),
        method: z.string().nullable(),
        acr: z.string().nullable(),
        telemetry: z.string(),
        devices: z.array(z.string()).readonly(),
        account: z.string().nullable(),
      }),
    )
    .nullable()
    .describe(
      `Challenges that were completed by it together with the others that are named, the latest first, ${KEPT_TOLD_MAX} at most, however old: the policy says for how long one is of use. An address and a visitor have none. Null where they cannot be read.`,
    ),
});

type SubjectMemory = z.output<typeof subjectMemorySchema>;

/** What is remembered of a subject, as the wire spells it. */
export function toSubjectMemory(
  { part, hash }: SubjectParams,
  { entries, knowledge, stepUps }: RememberedSubject,
): SubjectMemory {
  return {
    part,
    hash,
    lists: entries.map((entry) => ({ list: entry.list, entry: toEntryRecord(entry, toRfc3339) })),
    lists_knowledge: knowledge,
    step_ups:
      stepUps?.map(({ atMs, method, acr, telemetry, devices, account }) => ({
        at: toRfc3339(atMs),
        method,
        acr,
        telemetry,
        devices,
        account,
      })) ?? null,
  };
}

/** For the OpenAPI document: a device that is watched. */
export const subjectMemoryExample = {
  part: 'device',
  hash: '6f1ed002ab5595859014ebf0951522d9',
  lists: [
    {
      list: 'watched',
      entry: {
        id: 'device-6f1ed002ab5595859014ebf0951522d9',
        part: 'device',
        value: '6f1ed002ab5595859014ebf0951522d9',
        hash_key: '9d0c41aa',
        added_at: '2026-01-15T09:30:00.000Z',
        added_by: 'review-team',
        expires_at: null,
        note: 'was taken over once',
      },
    },
  ],
  lists_knowledge: 'current',
  step_ups: [
    {
      at: '2026-01-15T09:12:00.000Z',
      method: 'otp',
      acr: null,
      telemetry: '92eb5ffee6ae2fec3ad71c777531578f',
      devices: ['6f1ed002ab5595859014ebf0951522d9'],
      account: '0cc175b9c0f1b6a831c399e269772661',
    },
  ],
} satisfies SubjectMemory;
