import { z } from 'zod';
import type { Alert, Alerts } from '../../application/alerts/alerts.ts';
import { SEVERITIES } from '../../domain/alerts/alert-rule.ts';
import { ALERT_STATES } from '../../domain/alerts/alert-state.ts';
import { thresholdOf, WHYS_UNKNOWN } from '../../domain/alerts/reading.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';

const time = (what: string) => z.string().describe(what).meta({ format: 'date-time' });

const alertSchema = z.object({
  name: z.string(),
  when: z.string().describe('What it is about, as in the file.'),
  severity: z.enum(SEVERITIES),
  description: z.string().nullable(),
  state: z
    .enum(ALERT_STATES)
    .describe(
      '`pending`: its rule is met, not yet for long enough. `too_few`: not enough decisions to say. `unknown`: what it is read from cannot be had, or it was not read yet. Neither of these two ends one that fires.',
    ),
  since: time('When it came into this state. Null before it was first read.').nullable(),
  fired_at: time('When it fired. Null while it does not.').nullable(),
  value: z
    .number()
    .nullable()
    .describe('A share, a ratio or a number, as the rule has it. Null where it cannot be had.'),
  threshold: z.number().nullable().describe('What the value must be above. Null for what is so or not.'),
  n: z.number().nullable().describe('What the value is made of: decisions, or times that a rule was true.'),
  about: z.string().nullable().describe('The rule, the providers or the list that it is about.'),
  why: z
    .enum([...WHYS_UNKNOWN, 'not_read'])
    .nullable()
    .describe(
      'Why the latest reading said nothing: there is no decision log, it cannot be read, there are fewer than three days to compare with, the provider that it names is not enabled, it was not read yet.',
    ),
});

/** The answer of GET /v1/alerts. */
export const alertsSchema = z.object({
  read_at: time('When all were last read. Null before.').nullable(),
  alerts: z.array(alertSchema).describe('In the order of the file.'),
});

/** Alerts as they are on the wire. */
export function toAlertsBody(alerts: Alerts): z.output<typeof alertsSchema> {
  return { read_at: toTime(alerts.readAtMs()), alerts: alerts.all().map(toAlert) };
}

function toAlert({ rule, state }: Alert): z.output<typeof alertSchema> {
  const reading = state?.reading;
  const measured = reading?.kind === 'measured' ? reading : null;
  return {
    name: rule.name,
    when: rule.when,
    severity: rule.severity,
    description: rule.description ?? null,
    state: state?.state ?? 'unknown',
    since: toTime(state?.sinceMs ?? null),
    fired_at: toTime(state?.firedAtMs ?? null),
    value: measured?.value ?? null,
    threshold: thresholdOf(rule),
    n: reading === undefined || reading.kind === 'unknown' ? null : reading.n,
    about: measured?.about ?? null,
    why: reading === undefined ? 'not_read' : reading.kind === 'unknown' ? reading.why : null,
  };
}

function toTime(unixMs: number | null): string | null {
  return unixMs === null ? null : toRfc3339(unixMs);
}
