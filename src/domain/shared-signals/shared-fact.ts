import { z } from 'zod';
import { signalTypeOf } from '../policy/signal-type.ts';
import { NEVER_SECONDS } from '../policy/step-up-signals.ts';
import type { SubjectFact } from '../policy/subject-fact.ts';
import type { SharedEvent } from './shared-events.ts';

const since = (what: string) => z.number().int().describe(`Seconds since ${what}.`);

/** What policies read of one part of the subject. */
export const sharedPartSchema = z.object({
  session_revoked_seconds: since('its sessions were revoked'),
  credential_change_seconds: since('a credential of it was changed, added or revoked'),
  device_compliance_change_seconds: since('it was told to be not compliant, until it is told to be so again'),
  risk_level_change_seconds: since('its risk was told to be MEDIUM or HIGH, until it is LOW'),
  risk_level_high_seconds: since('its risk was told to be HIGH, until it is lower'),
  account_disabled_seconds: since('it was disabled, until it is enabled'),
  account_credential_change_required_seconds: since('it had to change its credentials'),
} satisfies Record<`${SharedEvent}_seconds`, z.ZodType>);

/** What policies read of shared signals, as the variable `shared`. It exists unless they cannot be known. */
const sharedSignalsSchema = z.object({ account: sharedPartSchema, device: sharedPartSchema });

const type = signalTypeOf(sharedSignalsSchema);

/** What others have told of the subject, as `shared.<part>.<event>_seconds`. */
export const SHARED_FACT: SubjectFact = {
  name: 'shared',
  typeOf: () => type,
  whole: [],
  whyAbsent: { none: 'no shared signals', unknown: 'shared signals unavailable' },
};

/** The signals of one part. */
export type SharedPartSignals = Readonly<z.output<typeof sharedPartSchema>>;

/** Nothing was told: each is longer ago than anything. */
export const NOTHING_SHARED: SharedPartSignals = Object.freeze(
  Object.fromEntries(
    Object.keys(sharedPartSchema.shape).map((name) => [name, NEVER_SECONDS]),
  ) as SharedPartSignals,
);
