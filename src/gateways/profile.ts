/** One place in a request where an id can be. Header names are lower case. */
export interface IdPlace {
  readonly kind: 'header' | 'query' | 'cookie';
  readonly name: string;
}

/** How a gateway authenticates. */
export type CallerProof =
  | { readonly kind: 'api_key'; readonly header: string }
  | { readonly kind: 'secret'; readonly header: string; readonly digests: readonly Uint8Array[] }
  | { readonly kind: 'addresses'; readonly includes: (address: string) => boolean | null };

/** What happens on a CHALLENGE. */
export const CHALLENGE_MODES = ['deny', 'pass', 'forbid', 'redirect'] as const;
type ChallengeMode = (typeof CHALLENGE_MODES)[number];

/** What happens without a decision. `refuse` leaves it to the gateway's own fail mode. */
export const UNAVAILABLE_MODES = ['refuse', 'allow', 'challenge', 'block'] as const;
type UnavailableMode = (typeof UNAVAILABLE_MODES)[number];

/** A path that is let in without a decision: exactly this one, or everything below it. */
interface ExemptPath {
  readonly path: string;
  readonly isPrefix: boolean;
}

/** How riskgate treats the questions of one kind of gateway route. */
export interface GatewayProfile {
  readonly name: string;
  readonly caller: CallerProof;
  /** The first place that holds an id counts. */
  readonly telemetryId: readonly IdPlace[];
  readonly deviceId: readonly IdPlace[];
  /** Empty where the gateway tells no account. */
  readonly accountId: readonly IdPlace[];
  /** The field in which the gateway sends the end user's address, lower case; null where it does not. */
  readonly ipHeader: string | null;
  readonly action: string | undefined;
  /** Null keeps the configured deadline. */
  readonly deadlineMs: number | null;
  readonly challenge: ChallengeMode;
  /** Null exactly where `challenge` is not `redirect`. */
  readonly challengeUrl: string | null;
  readonly acrValues: string | null;
  readonly onUnavailable: UnavailableMode;
  /** 0 does not allow caching. */
  readonly cacheTtlSeconds: number;
  readonly exemptMethods: ReadonlySet<string>;
  readonly exemptPaths: readonly ExemptPath[];
}

/** The profiles in force, by name; `default` is always among them. */
export interface GatewayProfiles {
  readonly byName: ReadonlyMap<string, GatewayProfile>;
  /** Profiles with a publicly known secret. */
  readonly wellKnown: readonly string[];
}

/**
 * The header in which a gateway sends an API key or secret unless a profile names another. Not
 * `Authorization` or `X-API-Key`, which belong to the end user's request.
 */
export const CALLER_HEADER = 'x-riskgate-key';

/** Built in: ids from header, query or cookie, a challenge denies, and the gateway presents an API key. */
export const DEFAULT_PROFILE: GatewayProfile = {
  name: 'default',
  caller: { kind: 'api_key', header: CALLER_HEADER },
  telemetryId: [
    { kind: 'header', name: 'x-telemetry-id' },
    { kind: 'query', name: 'telemetry_id' },
    { kind: 'cookie', name: 'telemetry_id' },
  ],
  deviceId: [
    { kind: 'header', name: 'x-device-id' },
    { kind: 'query', name: 'device_id' },
    { kind: 'cookie', name: 'device_id' },
  ],
  accountId: [],
  ipHeader: null,
  action: undefined,
  deadlineMs: null,
  challenge: 'deny',
  challengeUrl: null,
  acrValues: null,
  onUnavailable: 'refuse',
  cacheTtlSeconds: 0,
  exemptMethods: new Set(),
  exemptPaths: [],
};
