import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One entry of an API key file, with the key itself in place of its hash. */
export interface ApiKeyEntry {
  readonly id: string;
  readonly key: string;
  readonly scopes?: readonly string[];
  readonly not_after?: string;
  readonly limits?: {
    readonly requests?: number;
    readonly window_seconds?: number;
    readonly concurrent?: number;
  };
}

/** Writes an API key file into `directory`, for the test's owner alone, and returns its path. */
export function writeApiKeys(directory: string, entries: readonly ApiKeyEntry[]): string {
  const path = join(directory, 'own-api-keys.yaml');
  const keys = entries.map(({ key, scopes = ['decide', 'read', 'admin'], ...rest }) => ({
    ...rest,
    scopes,
    sha256: hash('sha256', key),
  }));
  // JSON is YAML.
  writeFileSync(path, JSON.stringify({ keys }), { mode: 0o600 });
  return path;
}
