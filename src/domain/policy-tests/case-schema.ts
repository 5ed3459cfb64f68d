import { z } from 'zod';
import { ACTIVITY_PARTS } from '../activity/activity-parts.ts';
import { TOTALS } from '../contradictions/contradiction-signals.ts';
import { CONTRADICTIONS } from '../contradictions/registry.ts';
import { OUTCOMES } from '../evidence.ts';
import { LIST_PARTS } from '../lists/list-part.ts';
import { requestSignalsSchema } from '../policy/request-signals.ts';
import { stepUpSignalsSchema } from '../policy/step-up-signals.ts';
import { telemetrySignalsSchema } from '../policy/telemetry-signals.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import { VERDICTS } from '../verdict.ts';

/** A file with more is more than anybody reads; it is a matrix then. */
const CASES_MAX = 5_000;
const NAME_CHARS_MAX = 300;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const unknown = z.literal('unknown');
const lost = z.literal('lost');
const moment = z.iso.datetime({
  offset: true,
  error: 'must be a time with its offset from UTC, such as "2026-01-31T12:00:00Z"',
});
/** Seconds of an age: a number, a duration, or the time that it is counted from. */
const seconds = z.union([z.number(), z.string()]);

/**
 * The schema with every member left out as one likes, and those whose name says that they are seconds as a duration
 * or a time, too.
 */
function withSeconds(schema: z.ZodObject): z.ZodObject {
  const members = Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>);
  return z.strictObject(
    Object.fromEntries(
      members.map(([key, member]) => {
        const inner = member instanceof z.ZodOptional ? member.unwrap() : member;
        if (key.endsWith('_seconds')) return [key, seconds.optional()];
        return [key, (inner instanceof z.ZodObject ? withSeconds(inner) : (inner as z.ZodType)).optional()];
      }),
    ),
  );
}

/** The same where a member may be lost, too. */
function withLosses(schema: z.ZodObject): z.ZodObject {
  const members = Object.entries(withSeconds(schema).shape as Readonly<Record<string, z.ZodOptional>>);
  return z.strictObject(
    Object.fromEntries(
      members.map(([key, member]) => [key, z.union([member.unwrap() as z.ZodType, lost]).optional()]),
    ),
  );
}

const activityPart = z.union([
  z.enum(['none', 'unknown']),
  z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
]);

const listedParts = z.union([
  z.array(z.enum(LIST_PARTS)),
  z.strictObject(
    Object.fromEntries(LIST_PARTS.map((part) => [part, z.union([z.boolean(), lost]).optional()])),
  ),
]);
const finding = z.union([z.boolean(), z.enum(['unknown', 'none'])]);
/** What is told of all contradictions together, which otherwise follows from them. */
const totals = { int: z.union([z.number(), lost]), string: z.union([z.string(), lost]) };

/** What decides, beside the evidence of providers. What is left out is a first request of a known subject. */
const factsShape = {
  now: moment.optional().describe('The time that ages are counted to; that of the file unless given.'),
  request: requestSignalsSchema
    .partial()
    .extend({
      ip_unreadable: z.boolean().optional().describe('A gateway told an address that cannot be read.'),
      place_lost: z.boolean().optional().describe('Where the address is could not be looked up.'),
    })
    .strict()
    .optional(),
  telemetry: z.union([unknown, withLosses(telemetrySignalsSchema)]).optional(),
  step_up: z.union([unknown, withLosses(stepUpSignalsSchema)]).optional(),
  activity: z
    .union([
      unknown,
      z.strictObject(Object.fromEntries(ACTIVITY_PARTS.map((part) => [part, activityPart.optional()]))),
    ])
    .optional(),
  contradictions: z
    .union([
      unknown,
      z.strictObject(
        Object.fromEntries([
          ...CONTRADICTIONS.map(({ id }) => [id, finding.optional()] as const),
          ...Object.entries(TOTALS).map(([name, { kind }]) => [name, totals[kind].optional()] as const),
        ]),
      ),
    ])
    .optional(),
  lists: z.union([unknown, z.record(z.string(), listedParts)]).optional(),
};

const expectedShape = {
  decision: z.enum(VERDICTS),
  degraded: z.boolean().optional(),
  reasons: z.array(z.string()).optional().describe('All reason codes, in their order.'),
};

/** What a case expects. */
export const expectedSchema = z.strictObject(expectedShape);

/** The schema of a file of cases for policies that read these providers. */
export function caseFileSchema(providers: readonly SpaceProvider[]) {
  const evidence = z.strictObject(
    Object.fromEntries(
      providers.map(({ id, signals }) => [
        id,
        z
          .strictObject({
            outcome: z.enum(OUTCOMES),
            suspect: z.boolean().optional(),
            signals: withSeconds(signals).optional(),
          })
          .optional(),
      ]),
    ),
  );
  const situation = z.strictObject({ given: evidence.optional(), ...factsShape });
  const described = z.string().max(4096).optional();
  return z.strictObject({
    policy: z.string().describe('The file of the policy, from the folder of this file.'),
    description: described,
    now: moment.optional(),
    evidence: evidence.describe('What every case starts from. A provider that is not named is not asked.'),
    cases: z
      .array(z.strictObject({ name, description: described, ...situation.shape, ...expectedShape }))
      .max(CASES_MAX)
      .default([]),
    matrix: z
      .array(
        z.strictObject({
          name,
          description: described,
          ...situation.shape,
          subjects: z.record(name, situation),
          situations: z.record(name, situation.extend({ degraded: z.boolean().optional() })),
          decisions: z
            .unknown()
            .describe('A verdict for all, for each subject, or for each subject and situation.'),
        }),
      )
      .max(CASES_MAX)
      .default([]),
  });
}

/** A file of cases whose shape is right. */
export type CaseFile = z.output<ReturnType<typeof caseFileSchema>>;

/** All that a case may say of what happens. */
export type Situation = Omit<CaseFile['cases'][number], 'name' | 'description' | keyof typeof expectedShape>;

/** What a case expects of a decision. */
export type Expected = z.output<typeof expectedSchema>;
