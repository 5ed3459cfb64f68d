import { z } from 'zod';
import { ownEventsSchema } from '../activity/own-events.ts';
import { LIST_NAME } from '../lists/list-entry.ts';
import { promotionSchema } from '../promotion/promotion-limits.ts';
import { acrName } from '../step-up/challenge-names.ts';
import { VERDICTS } from '../verdict.ts';
import { DURATION_MISTAKE, toSeconds } from './duration.ts';
import { LISTED_ENTRIES, LISTS_MAX } from './list-signals.ts';
import { parametersSchema } from './parameters.ts';

/**
 * What an unknown condition contributes. IGNORE is an explicit fail-open. ALLOW is not offered: it would be a
 * hidden one.
 */
export const ON_UNKNOWN = ['CHALLENGE', 'BLOCK', 'IGNORE'] as const;

/** What a rule contributes when its condition is unknown. */
export type OnUnknown = (typeof ON_UNKNOWN)[number];

/** The id of a rule. */
export const RULE_ID = /^[a-z][a-z0-9-]{0,63}$/;

const ruleId = z
  .string()
  .regex(RULE_ID, 'must be lower case letters, digits and dashes, at most 64, and begin with a letter');
const reasonCode = z
  .string()
  .regex(
    /^[A-Z][A-Z0-9_]{0,63}$/,
    'must be upper case letters, digits and underscores, at most 64, and begin with a letter',
  );

const stepUpAge = z
  .string(DURATION_MISTAKE)
  .refine((text) => text.startsWith('params.') || toSeconds(text) !== null, {
    message: `${DURATION_MISTAKE}, or params.<name>`,
  });

/** One rule of a policy file. */
const ruleSchema = z.strictObject({
  id: ruleId.describe('Unique in the file; named in answers, logs and statistics.'),
  when: z
    .string()
    .min(1)
    .max(4096)
    .describe('A CEL condition. True, false, or unknown when it reads something absent.'),
  verdict: z.enum(VERDICTS).describe('What the rule contributes when it is true.'),
  reason: reasonCode.describe('The reason code in answers.'),
  on_unknown: z
    .enum(ON_UNKNOWN)
    .default('CHALLENGE')
    .describe(
      'What the rule contributes when it is unknown; IGNORE lets it pass and is listed under waivers.',
    ),
  exempt: z
    .boolean()
    .default(false)
    .describe('When the rule is definitely true, evaluation ends with ALLOW. Its verdict is ALLOW.'),
  step_up: stepUpAge
    .optional()
    .describe(
      'What the rule contributes is satisfied by a step-up of the subject that is younger: a duration, or `params.<name>` of one. Its verdict is CHALLENGE.',
    ),
  min_acr: acrName.optional().describe('Such a step-up must have this `acr` or a later one of `acr_values`.'),
  observe: z
    .boolean()
    .default(false)
    .describe(
      'The rule is listed among the reasons and has no effect on the verdict, true or unknown. Its verdict is ALLOW.',
    ),
  description: z.string().max(1024).optional(),
});

const listName = z
  .string()
  .regex(LIST_NAME, 'must be lower case letters, digits and underscores, at most 32, and begin with a letter')
  .refine((name) => name !== LISTED_ENTRIES, `must not be "${LISTED_ENTRIES}"`);

/**
 * A policy file. `otherwise` has no default: the author must decide what happens when no rule is true or
 * unknown.
 */
export const policyDocumentSchema = z.strictObject({
  policy: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be lower case letters, digits and dashes, at most 64')
    .describe('The id of the policy.'),
  description: z.string().max(4096).optional(),
  parameters: parametersSchema
    .default({})
    .describe('Constants that conditions read as `params.<name>`. Each is read by some rule.'),
  events: ownEventsSchema
    .default([])
    .describe('Names of events beside the common ones that `POST /v1/events` takes and activity counts.'),
  lists: z
    .array(listName)
    .max(LISTS_MAX)
    .refine((names) => new Set(names).size === names.length, 'names a list twice')
    .default([])
    .describe(
      'The lists that conditions read as `lists.<list>.<part>`. Their entries are no part of the file.',
    ),
  candidate: z
    .strictObject({
      fetch: z
        .boolean()
        .default(false)
        .describe(
          'Ask for what this policy reads of custody, activity, step-ups, lists and contradictions and the policy in force does not. Without it, decisions of which it reads such things are not judged.',
        ),
    })
    .default({ fetch: false })
    .describe('How the policy judges while it is a candidate. Of no effect once it is in force.'),
  promotion: promotionSchema
    .prefault({})
    .describe(
      'What a candidate has to show before it takes the place of this policy. Of no effect on decisions, and a part of the hash all the same.',
    ),
  otherwise: z.enum(VERDICTS).describe('The verdict when no rule applies.'),
  acr_values: z
    .array(acrName)
    .max(16)
    .refine((values) => new Set(values).size === values.length, { message: 'names one twice' })
    .default([])
    .describe('What step-ups can achieve, the least first; `min_acr` names one of them.'),
  rules: z.array(ruleSchema).min(1).max(500),
  never: z
    .array(
      z.strictObject({
        verdict: z.enum(VERDICTS),
        when: z.string().min(1).max(4096).describe('A CEL condition.'),
        description: z.string().max(1024).optional(),
      }),
    )
    .max(50)
    .default([])
    .describe(
      'What the policy never does: come to this verdict while the condition is true. A file of which that is not so is refused.',
    ),
});

/** A policy file whose shape is right; its conditions are not checked yet. */
export type PolicyDocument = z.output<typeof policyDocumentSchema>;

/** One rule of a policy file. */
export type PolicyRule = z.output<typeof ruleSchema>;

/**
 * One mistake in a policy file. `path` leads to the offending node; `offset` is a character position inside
 * that node's text, where the mistake is in a condition.
 */
export interface PolicyMistake {
  readonly path: readonly (string | number)[];
  readonly isKey: boolean;
  readonly offset: number | null;
  readonly message: string;
}
