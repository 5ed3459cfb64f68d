import { hash } from 'node:crypto';
import { loadPolicy } from '../application/load-policy.ts';
import type { AlertRule } from '../domain/alerts/alert-rule.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { PolicyDocument } from '../domain/policy/document.ts';
import { checkProfiles, createProfiles } from '../gateways/load-profiles.ts';
import type { ProfilesByName } from '../gateways/profiles-document.ts';
import { checkKeys, createKeyring, type KeyEntry } from '../http/callers/api-keys.ts';
import { findOpenMode } from '../platform/exposure.ts';
import { compileLinearPattern } from '../platform/linear-pattern.ts';
import { readTextFile } from '../platform/read-text-file.ts';
import type { Result } from '../platform/result.ts';
import { parseYaml } from '../platform/yaml-document.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { checkAlerts } from './alerts-file.ts';
import { toSpaceProviders } from './space-providers.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

/** The files that are followed, by what they hold; also their label in metrics. */
export type FileKind = keyof CheckedFiles;

/** What a file of each kind comes to: plain data, which can be sent from one thread to another. */
export interface CheckedFiles {
  readonly policy: {
    readonly document: PolicyDocument;
    readonly hash: string;
    readonly text: string;
    /** Its assertions that could be neither proven nor refuted. */
    readonly unproven: readonly string[];
  };
  readonly api_keys: readonly KeyEntry[];
  readonly gateway_profiles: ProfilesByName;
  readonly alerts: readonly AlertRule[];
}

/** Which file is to be checked, and as what. */
export interface FileQuestion<Kind extends FileKind = FileKind> {
  readonly kind: Kind;
  readonly path: string;
  /**
   * Whether others can reach the service: then secrets that everybody knows, and keys that others may read,
   * are refused.
   */
  readonly isExposed: boolean;
}

const MIB = 1024 * 1024;
/** The largest policy file. */
export const POLICY_BYTES_MAX = MIB;
const BYTES_MAX: Readonly<Record<FileKind, number>> = {
  policy: POLICY_BYTES_MAX,
  api_keys: 5 * MIB,
  gateway_profiles: 5 * MIB,
  alerts: MIB,
};

/** Reads a file and checks all of it. Every mistake begins with the path. */
export function checkFile<Kind extends FileKind>(
  question: FileQuestion<Kind>,
  providers: readonly ProviderDefinition[],
): Result<CheckedFiles[Kind]> {
  const read = readTextFile(question.path, BYTES_MAX[question.kind]);
  if (!read.ok) return read;
  const checks: { readonly [Each in FileKind]: () => Result<CheckedFiles[Each]> } = {
    policy: () => checkPolicyText(read.value, providers),
    api_keys: () => checkKeyFile(read.value, question),
    gateway_profiles: () => checkProfileFile(read.value, question),
    alerts: () => checkAlerts(read.value),
  };
  const result = checks[question.kind]();
  if (result.ok) return result;
  return { ok: false, mistakes: result.mistakes.map((mistake) => `${question.path}:${mistake}`) };
}

/** The policy in a file, ready to judge by. */
export function readPolicy(
  path: string,
  providers: readonly ProviderDefinition[],
  onUnproven?: (assertions: readonly string[]) => void,
): Result<CompiledPolicy> {
  const read = readTextFile(path, BYTES_MAX.policy);
  if (!read.ok) return read;
  const result = compilePolicyText(read.value, providers, onUnproven);
  if (result.ok) return result;
  return { ok: false, mistakes: result.mistakes.map((mistake) => `${path}:${mistake}`) };
}

/** A text that is to be a policy, as plain data, or every mistake in it as `line:column: message`. */
export function checkPolicyText(
  text: string,
  providers: readonly ProviderDefinition[],
): Result<CheckedFiles['policy']> {
  let unproven: readonly string[] = [];
  const result = compilePolicyText(text, providers, (assertions) => {
    unproven = assertions;
  });
  if (!result.ok) return result;
  const { document, hash: digest } = result.value;
  // It is not needed here: who loads the same text next takes it.
  if (latest !== null) latest.policy = result.value;
  return { ok: true, value: { document, hash: digest, text, unproven } };
}

/** The latest policy whose assertions were checked. */
interface Proven {
  readonly textHash: string;
  readonly providers: readonly ProviderDefinition[];
  /** Its assertions that could be neither proven nor refuted. */
  readonly unproven: readonly string[];
  /** Compiled, where nobody judges by it yet. */
  policy: CompiledPolicy | null;
}

let latest: Proven | null = null;

/**
 * The policy of a text, or every mistake in it as `line:column: message`. Null proves no assertions. The latest
 * text is neither proven nor compiled again at once, because a start reads the file twice.
 */
export function compilePolicyText(
  text: string,
  providers: readonly ProviderDefinition[],
  onUnproven: ((assertions: readonly string[]) => void) | null = () => {},
): Result<CompiledPolicy> {
  const options = {
    providers,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    countriesOfTimeZone,
    sha256: (content: string) => hash('sha256', content),
  };
  if (onUnproven === null) return loadPolicy(text, options);
  const textHash = options.sha256(text);
  if (latest?.textHash === textHash && isSame(latest.providers, providers)) {
    const { policy, unproven } = latest;
    latest.policy = null;
    onUnproven(unproven);
    return policy === null ? loadPolicy(text, options) : { ok: true, value: policy };
  }
  let unproven: readonly string[] = [];
  const onFound = (assertions: readonly string[]): void => {
    unproven = assertions;
    onUnproven(assertions);
  };
  const proof = { providers: toSpaceProviders(providers), onUnproven: onFound };
  const result = loadPolicy(text, { ...options, proof });
  if (result.ok) latest = { textHash, providers, unproven, policy: null };
  return result;
}

function isSame(one: readonly ProviderDefinition[], other: readonly ProviderDefinition[]): boolean {
  return one.length === other.length && one.every((provider, place) => provider === other[place]);
}

function checkKeyFile(text: string, { path, isExposed }: FileQuestion): Result<readonly KeyEntry[]> {
  const result = checkKeys(text);
  if (!isExposed) return result;
  const mistakes = result.ok
    ? createKeyring(result.value).wellKnown.map((id) => ` everybody knows the key of "${id}"`)
    : [...result.mistakes];
  // Others on the machine must not read or write the API keys, at the start and after a change.
  const mode = findOpenMode(path);
  if (mode !== null)
    mistakes.push(` its mode is ${mode}; others must not read or write API keys: chmod 0400 or 0440`);
  return mistakes.length > 0 ? { ok: false, mistakes } : result;
}

function checkProfileFile(text: string, { isExposed }: FileQuestion): Result<ProfilesByName> {
  const result = checkProfiles(text);
  if (!isExposed || !result.ok) return result;
  const { wellKnown } = createProfiles(result.value);
  if (wellKnown.length === 0) return result;
  return { ok: false, mistakes: wellKnown.map((name) => ` everybody knows the secret of "${name}"`) };
}
