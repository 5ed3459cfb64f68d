import { z } from 'zod';

/** How urgent an alert is. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const UNITS = { m: 1, h: 60, d: DAY_MINUTES } as const;
/** Those of one file. */
const RULES_MAX = 100;

/** `15m`, `2h`, `1d`, as milliseconds; within a day, which is how long minutes are counted. */
const duration = (minutesMin: number) =>
  z
    .string()
    .regex(/^\d{1,4}[mhd]$/, 'must be a time such as 15m, 2h or 1d')
    .transform((text) => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS])
    .refine((minutes) => minutes >= minutesMin && minutes <= DAY_MINUTES, `must be ${minutesMin}m to 1d`)
    .transform((minutes) => minutes * MINUTE_MS);

const common = {
  for: duration(0).optional(),
  severity: z.enum(SEVERITIES).default('warning'),
  description: z.string().max(300).optional(),
};
const code = z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/);

/** A share of the decisions of a window. */
const shareSchema = z.strictObject({
  ...common,
  when: z.enum(['block_rate', 'challenge_rate', 'degraded_share']),
  above: z.number().min(0, 'must be a share, 0 to 1').lt(1, 'must be a share below 1'),
  window: duration(1),
  minimum: z.int().min(1).max(1_000_000_000).default(100),
});
/** A rule is true more often in the last hour than in the same hour of the 7 days before. */
const spikeSchema = z.strictObject({
  ...common,
  when: z.literal('rule_spike'),
  rule: code.optional(),
  times: z.number().gt(1, 'must be above 1').max(1_000).default(3),
  minimum: z.int().min(1).max(1_000_000_000).default(30),
});
const providerSchema = z.strictObject({
  ...common,
  when: z.enum(['provider_open', 'provider_suspect']),
  provider: code.optional(),
});
const policySchema = z.strictObject({ ...common, when: z.literal('policy_refused') });
/** Something that happened more often than that in a window. */
const countSchema = z.strictObject({
  ...common,
  when: z.enum(['log_dropping', 'list_changed', 'policy_rolled_back']),
  list: code.optional(),
  above: z.int().min(0).max(1_000_000_000).default(0),
  window: duration(1),
});

const ruleSchema = z
  .discriminatedUnion('when', [shareSchema, spikeSchema, providerSchema, policySchema, countSchema])
  .refine((rule) => rule.when === 'list_changed' || !('list' in rule) || rule.list === undefined, {
    path: ['list'],
    message: 'is for list_changed',
  });

/** The text of a file of alerts, as plain data. */
export const alertsDocumentSchema = z.strictObject({
  alerts: z
    .record(
      z
        .string()
        .regex(
          /^[a-z0-9][a-z0-9_-]{0,63}$/,
          'must be small letters, digits, dashes and underscores, at most 64',
        ),
      ruleSchema,
    )
    .refine((rules) => Object.keys(rules).length <= RULES_MAX, `names more than ${RULES_MAX} alerts`),
});

interface Named {
  readonly name: string;
}

/** One rule of alerts. Times are milliseconds. */
export type AlertRule = z.output<typeof ruleSchema> & Named;
/** A rule about a share of decisions. */
export type ShareRule = z.output<typeof shareSchema> & Named;
/** A rule about rules of the policy that are true more often than usual. */
export type SpikeRule = z.output<typeof spikeSchema> & Named;
/** A rule about how a provider is. */
export type ProviderRule = z.output<typeof providerSchema> & Named;
/** A rule about how often something happened. */
export type CountRule = z.output<typeof countSchema> & Named;

/** How long what it names has to go on before it fires, milliseconds. */
export function forMsOf(rule: Pick<AlertRule, 'for'>): number {
  return rule.for ?? 0;
}
