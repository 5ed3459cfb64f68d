/**
 * What others tell of an account or a device, by OpenID CAEP and RISC 1.0. `risk_level_high` is a part of
 * `risk_level_change`; the other names are those of the standards.
 */
export const SHARED_EVENTS = [
  'session_revoked',
  'credential_change',
  'device_compliance_change',
  'risk_level_change',
  'risk_level_high',
  'account_disabled',
  'account_credential_change_required',
] as const;

/** One of them. */
export type SharedEvent = (typeof SHARED_EVENTS)[number];

/** The parts of a decision that others tell of. */
export const SHARED_PARTS = ['account', 'device'] as const;

/** One of them. */
export type SharedPart = (typeof SHARED_PARTS)[number];

/** How long an event is remembered. What is older when it arrives is not taken. */
export const SHARED_KEPT_MS = 30 * 86_400_000;

/** One thing that was told of one subject: that it is so since a time, or no longer. */
export interface SharedSignal {
  readonly event: SharedEvent;
  readonly isEnded: boolean;
  readonly part: SharedPart;
  /** As it was told. It must not be kept. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** What one event means: what is so from now on, and what no longer is. */
export interface EventMeaning {
  /** The part that a subject without parts is. */
  readonly part: SharedPart;
  readonly begins: readonly SharedEvent[];
  readonly ends: readonly SharedEvent[];
}

type Body = Readonly<Record<string, unknown>>;

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

const begins = (event: SharedEvent) => (): EventMeaning => ({ part: 'account', begins: [event], ends: [] });

/** By the type of the event; null for a body that does not say what its type requires. */
const MEANINGS: Readonly<Record<string, (body: Body) => EventMeaning | null>> = {
  [`${CAEP}session-revoked`]: begins('session_revoked'),
  [`${CAEP}credential-change`]: begins('credential_change'),
  [`${CAEP}device-compliance-change`]: ({ current_status: status }) => {
    if (status === 'compliant') return { part: 'device', begins: [], ends: ['device_compliance_change'] };
    return status === 'not-compliant'
      ? { part: 'device', begins: ['device_compliance_change'], ends: [] }
      : null;
  },
  [`${CAEP}risk-level-change`]: ({ current_level: level, principal }) => {
    const part = principal === 'DEVICE' ? 'device' : 'account';
    switch (level) {
      case 'HIGH':
        return { part, begins: ['risk_level_change', 'risk_level_high'], ends: [] };
      case 'MEDIUM':
        return { part, begins: ['risk_level_change'], ends: ['risk_level_high'] };
      case 'LOW':
        return { part, begins: [], ends: ['risk_level_change', 'risk_level_high'] };
      default:
        return null;
    }
  },
  [`${RISC}account-disabled`]: begins('account_disabled'),
  [`${RISC}account-enabled`]: () => ({ part: 'account', begins: [], ends: ['account_disabled'] }),
  [`${RISC}account-credential-change-required`]: begins('account_credential_change_required'),
};

/** What an event of this type means; `unknown` for a type that nothing here reads, null for a wrong body. */
export function meaningOf(type: string, body: Body): EventMeaning | 'unknown' | null {
  return Object.hasOwn(MEANINGS, type) ? (MEANINGS[type]?.(body) ?? null) : 'unknown';
}
