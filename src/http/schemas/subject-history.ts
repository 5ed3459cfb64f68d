import { z } from 'zod';
import type { SeenSubjects, SubjectHistory } from '../../domain/decision-log/subject-history.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../domain/decision-log/subject-parts.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';

/** The path of GET /v1/subjects/{part}/{hash}. */
export const subjectParamsSchema = z.object({
  part: z.enum(SUBJECT_PARTS).describe('Which part of a subject it is.'),
  hash: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .describe('Its keyed hash, as records have it. `ip` takes that of an address, or of a network.'),
});

/** The checked path. */
export type SubjectParams = z.output<typeof subjectParamsSchema>;

const count = z.int().min(0);
const time = z.string().meta({ format: 'date-time' });
const firstSeen = time.describe('When the first of these decisions was made.');
const lastSeen = time.describe('When the last of these decisions was made.');
const verdicts = z.record(z.string(), count).describe('Decisions by verdict; those without any are absent.');

const seenSchema = z.object({
  distinct: count.describe('How many different ones.'),
  subjects: z
    .array(
      z.object({
        hash: z.string(),
        decisions: count.describe('Decisions that name both.'),
        first_seen: firstSeen,
        last_seen: lastSeen,
      }),
    )
    .describe('Those in the most decisions first, 20 at most.'),
});

/** The answer of GET /v1/subjects/{part}/{hash}. */
export const subjectHistorySchema = z.object({
  part: z.enum(SUBJECT_PARTS),
  hash: z.string(),
  first_seen: firstSeen,
  last_seen: lastSeen,
  complete: z
    .boolean()
    .describe(
      'False where older decisions were not looked at, since one question looks at a bounded number, the latest first.',
    ),
  total: count.describe('Decisions that were looked at.'),
  verdicts,
  days: z
    .array(z.object({ at: time.describe('When the UTC day begins.'), verdicts }))
    .describe('Verdicts over time, oldest first; days without a decision are absent.'),
  labels: z
    .record(z.string(), count)
    .describe('Decisions by the label that counts; labels without any are absent.'),
  seen_with: z
    .object(
      // `Object.fromEntries` forgets that every part is there.
      Object.fromEntries(SUBJECT_PARTS.map((part) => [part, seenSchema])) as Record<
        SubjectPartName,
        typeof seenSchema
      >,
    )
    .describe('Subjects that the same decisions name.'),
  decisions_url: z.string().describe('Where its decisions are listed, the latest first.'),
});

type SubjectBody = z.output<typeof subjectHistorySchema>;

/** What is known of a subject, as the wire spells it. */
export function toSubjectBody({ part, hash }: SubjectParams, history: SubjectHistory): SubjectBody {
  const { telemetry, device, account, ip, visitor } = history.seenWith;
  return {
    part,
    hash,
    first_seen: toRfc3339(history.firstSeenMs),
    last_seen: toRfc3339(history.lastSeenMs),
    complete: history.isWhole,
    total: history.total,
    verdicts: { ...history.verdicts },
    days: history.days.map((day) => ({ at: toRfc3339(day.startMs), verdicts: { ...day.verdicts } })),
    labels: { ...history.labels },
    seen_with: {
      telemetry: toSeen(telemetry),
      device: toSeen(device),
      account: toSeen(account),
      ip: toSeen(ip),
      visitor: toSeen(visitor),
    },
    decisions_url: `/v1/decisions?${part}=%23${hash}`,
  };
}

function toSeen({ distinct, subjects }: SeenSubjects) {
  return {
    distinct,
    subjects: subjects.map(({ hash, count: decisions, firstSeenMs, lastSeenMs }) => ({
      hash,
      decisions,
      first_seen: toRfc3339(firstSeenMs),
      last_seen: toRfc3339(lastSeenMs),
    })),
  };
}

const NONE_SEEN = { distinct: 0, subjects: [] };

/** For the OpenAPI document: a device that two accounts use. */
export const subjectHistoryExample = {
  part: 'device',
  hash: '6f1ed002ab5595859014ebf0951522d9',
  first_seen: '2026-01-11T18:02:11.120Z',
  last_seen: '2026-01-15T09:30:00.000Z',
  complete: true,
  total: 3,
  verdicts: { ALLOW: 2, BLOCK: 1 },
  days: [
    { at: '2026-01-11T00:00:00.000Z', verdicts: { ALLOW: 2 } },
    { at: '2026-01-15T00:00:00.000Z', verdicts: { BLOCK: 1 } },
  ],
  labels: { fraud: 1 },
  seen_with: {
    telemetry: NONE_SEEN,
    device: NONE_SEEN,
    account: {
      distinct: 2,
      subjects: [
        {
          hash: '0cc175b9c0f1b6a831c399e269772661',
          decisions: 2,
          first_seen: '2026-01-11T18:02:11.120Z',
          last_seen: '2026-01-11T18:40:00.000Z',
        },
        {
          hash: '92eb5ffee6ae2fec3ad71c777531578f',
          decisions: 1,
          first_seen: '2026-01-15T09:30:00.000Z',
          last_seen: '2026-01-15T09:30:00.000Z',
        },
      ],
    },
    ip: NONE_SEEN,
    visitor: NONE_SEEN,
  },
  decisions_url: '/v1/decisions?device=%236f1ed002ab5595859014ebf0951522d9',
} satisfies SubjectBody;
