import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compilePolicyText, POLICY_BYTES_MAX } from '../../app/check-file.ts';
import { SERVICE_SETTINGS } from '../../config/service-settings.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { readTextFile } from '../../platform/read-text-file.ts';
import { PROVIDERS } from '../../providers/registry.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import { type Finding, toFinding } from './finding.ts';

/** A policy file that was read, and what it comes to. */
interface OpenPolicy {
  /** As it was given. */
  readonly path: string;
  readonly text: string;
  /** Null where it has mistakes. */
  readonly policy: CompiledPolicy | null;
  readonly mistakes: readonly Finding[];
}

const SHIPPED = fileURLToPath(new URL('../../../policies/default.yaml', import.meta.url));

/** The file that a service would take, or the one that comes with riskgate where there is none. */
export function defaultPolicyPath({ POLICY_FILE }: Readonly<Record<string, string | undefined>>): string {
  if (POLICY_FILE !== undefined && POLICY_FILE !== '') return POLICY_FILE;
  const path = String(SERVICE_SETTINGS.policyFile.default);
  return existsSync(path) ? path : SHIPPED;
}

/**
 * Reads and compiles a policy file; assertions that do not hold are mistakes unless `isProven` is false. Throws
 * a `CommandFailure` where it cannot be read.
 */
export function openPolicy(
  path: string,
  isProven = true,
  unreadable: CommandFailure['exitCode'] = EXIT_CODES.failure,
): OpenPolicy {
  const text = readFile(path, POLICY_BYTES_MAX, unreadable);
  const compiled = compilePolicyText(text, PROVIDERS, isProven ? undefined : null);
  return compiled.ok
    ? { path, text, policy: compiled.value, mistakes: [] }
    : { path, text, policy: null, mistakes: compiled.mistakes.map((mistake) => toFinding(path, mistake)) };
}

/** The text of a file. Throws a `CommandFailure` with this code where it cannot be read. */
export function readFile(
  path: string,
  bytesMax: number,
  exitCode: CommandFailure['exitCode'] = EXIT_CODES.failure,
): string {
  const read = readTextFile(path, bytesMax);
  if (!read.ok) throw new CommandFailure('file_unreadable', read.mistakes.join('\n'), exitCode);
  return read.value;
}
