import { createNetworkTest, type Network, networkOfAddress, parseNetwork } from '../domain/ip-address.ts';
import { failure, type Result, success } from '../domain/result.ts';
import { isWellKnownKey } from '../platform/exposure.ts';
import { type LocatedMistake, parseYaml } from '../platform/yaml-document.ts';
import { type CallerProof, DEFAULT_PROFILE, type GatewayProfile, type GatewayProfiles } from './profile.ts';
import { type ProfileDocument, type ProfilesByName, profilesDocumentSchema } from './profiles-document.ts';

/** The profiles in force without a file: only `default`. */
export const BUILT_IN_PROFILES: GatewayProfiles = {
  byName: new Map([[DEFAULT_PROFILE.name, DEFAULT_PROFILE]]),
  wellKnown: [],
};

/**
 * Reads the text of a profiles file, or returns every mistake in it as `line:column: message`. A `default` in
 * it replaces the built-in one.
 */
export function loadProfiles(text: string): Result<GatewayProfiles, string> {
  const checked = checkProfiles(text);
  return checked.ok ? success(createProfiles(checked.value)) : checked;
}

/** The profiles of a file as plain data, or every mistake in it. */
export function checkProfiles(text: string): Result<ProfilesByName, string> {
  const document = parseYaml(text, { texts: ['acr_values'], isSecret: true });
  if (document.mistakes.length > 0) return failure(document.mistakes);
  const parsed = profilesDocumentSchema.safeParse(document.value);
  const mistakes = parsed.success
    ? findContradictions(parsed.data.profiles)
    : parsed.error.issues.map(({ path, message }) => ({
        path: path.filter((step) => typeof step !== 'symbol'),
        message,
      }));
  if (!parsed.success || mistakes.length > 0) return failure(document.describe(mistakes));
  return success(parsed.data.profiles);
}

function findContradictions(profiles: ProfilesByName): readonly LocatedMistake[] {
  return Object.entries(profiles).flatMap(([name, { challenge, challenge_url: url, caller }]) => {
    const path = ['profiles', name];
    const isRedirect = challenge === 'redirect';
    return [
      ...findWrongNetworks(caller, [...path, 'caller', 'addresses']),
      ...(isRedirect && url === undefined
        ? [{ path: [...path, 'challenge'], message: 'redirect needs challenge_url' }]
        : []),
      ...(!isRedirect && url !== undefined
        ? [{ path: [...path, 'challenge_url'], message: 'is for challenge: redirect only' }]
        : []),
    ];
  });
}

function findWrongNetworks(
  caller: ProfileDocument['caller'],
  path: readonly string[],
): readonly LocatedMistake[] {
  return networksOf(caller).flatMap((network, place) =>
    'mistake' in network ? [{ path: [...path, place], message: network.mistake }] : [],
  );
}

/** The profiles in force, of those of a file that were checked. */
export function createProfiles(profiles: ProfilesByName): GatewayProfiles {
  const entries = Object.entries(profiles);
  const named = entries.map(([name, profile]) => [name, toProfile(name, profile)] as const);
  return {
    byName: new Map([...BUILT_IN_PROFILES.byName, ...named]),
    wellKnown: entries
      .filter(([, { caller }]) => digestsOf(caller).some(isWellKnownKey))
      .map(([name]) => name),
  };
}

function toProfile(name: string, document: ProfileDocument): GatewayProfile {
  return {
    name,
    caller: toProof(document.caller),
    telemetryId: document.telemetry_id ?? DEFAULT_PROFILE.telemetryId,
    deviceId: document.device_id ?? DEFAULT_PROFILE.deviceId,
    accountId: document.account_id ?? DEFAULT_PROFILE.accountId,
    ipHeader: document.ip_header ?? null,
    action: document.action,
    deadlineMs: document.deadline_ms ?? null,
    challenge: document.challenge,
    challengeUrl: document.challenge_url ?? null,
    acrValues: document.acr_values ?? null,
    onUnavailable: document.on_unavailable,
    cacheTtlSeconds: document.cache_ttl_seconds,
    exemptMethods: new Set(document.exempt_methods),
    exemptPaths: document.exempt_paths,
  };
}

function toProof(caller: ProfileDocument['caller']): CallerProof {
  if (caller === undefined) return DEFAULT_PROFILE.caller;
  if ('api_key_header' in caller) return { kind: 'api_key', header: caller.api_key_header };
  if ('addresses' in caller) {
    const networks = networksOf(caller).filter((network): network is Network => !('mistake' in network));
    return { kind: 'addresses', includes: createNetworkTest(networks) };
  }
  const digests = digestsOf(caller).map((digest) => Buffer.from(digest, 'hex'));
  return { kind: 'secret', header: caller.header, digests };
}

/** One address, as a network. */
const WHOLE = { 4: 32, 6: 128 } as const;

/**
 * The networks of a caller that is identified by its address: each is `10.0.0.0/8` or one address, or a
 * mistake.
 */
function networksOf(caller: ProfileDocument['caller']): (Network | { readonly mistake: string })[] {
  if (caller === undefined || !('addresses' in caller)) return [];
  return caller.addresses.map((text) => {
    const network = parseNetwork(networkOfAddress(text, WHOLE) ?? text);
    const isEverybody = !('mistake' in network) && network.prefix === 0;
    return isEverybody ? { mistake: 'is everybody: write a prefix of at least 1' } : network;
  });
}

function digestsOf(caller: ProfileDocument['caller']): readonly string[] {
  return caller !== undefined && 'sha256' in caller ? [caller.sha256].flat() : [];
}
