import { hash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { parseYaml } from '../platform/yaml-document.ts';

/** What a key may do: ask for decisions, read policies and decisions, purge evidence. */
export const SCOPES = ['decide', 'read', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking. */
export interface Caller {
  /** The id of the key in the file. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
}

/** Digests that are remembered, of good and of wrong keys alike: what is compared, and how, stays the same. */
const DIGESTS_MAX = 256;
/** A longer token is nobody's key, and not worth its place. */
const TOKEN_LENGTH_MAX = 256;

/** The keys of one file. It remembers the digests of keys that were presented lately, in this process alone. */
export interface Keyring {
  readonly size: number;
  /** The caller that a presented key belongs to, or null. Takes the same steps whichever key matches, and whether one does. */
  find(token: string): Caller | null;
}

const apiKeysSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        id: z
          .string()
          .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is letters, digits, dots, dashes and underscores, at most 64'),
        sha256: z.string().regex(/^[0-9a-f]{64}$/i, 'is the SHA-256 of the key in 64 hex digits'),
        scopes: z.array(z.enum(SCOPES)).min(1),
      }),
    )
    .min(1)
    .max(1000),
});

export type KeyringResult =
  | { readonly ok: true; readonly value: Keyring }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** Reads the text of an API key file, or returns every mistake in it as `line:column: message`. */
export function loadKeyring(text: string): KeyringResult {
  const document = parseYaml(text);
  const mistakes = document.errors.map(
    ({ position, message }) => `${position.line}:${position.column}: ${message}`,
  );
  if (mistakes.length > 0) return { ok: false, mistakes };
  const mistakeAt = (path: readonly (string | number)[], message: string) => {
    const { line, column } = document.locate(path);
    mistakes.push(`${line}:${column}: ${path.join('.')}: ${message}`);
  };
  const parsed = apiKeysSchema.safeParse(document.value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      mistakeAt(
        issue.path.filter((step) => typeof step !== 'symbol'),
        issue.message,
      );
    }
    return { ok: false, mistakes };
  }
  const { keys } = parsed.data;
  keys.forEach((key, index) => {
    if (keys.findIndex((other) => other.sha256.toLowerCase() === key.sha256.toLowerCase()) < index) {
      mistakeAt(['keys', index, 'sha256'], 'the same key stands twice');
    }
  });
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, value: createKeyring(keys) };
}

function createKeyring(keys: z.output<typeof apiKeysSchema>['keys']): Keyring {
  const entries = keys.map(({ id, sha256, scopes }) => ({
    digest: Buffer.from(sha256, 'hex'),
    caller: { id, scopes: new Set(scopes) },
  }));
  const digests = new LRUCache<string, Buffer>({ max: DIGESTS_MAX });
  const digestOf = (token: string): Buffer => {
    const known = digests.get(token);
    if (known !== undefined) return known;
    const digest = hash('sha256', token, 'buffer');
    if (token.length <= TOKEN_LENGTH_MAX) digests.set(token, digest);
    return digest;
  };
  return {
    size: entries.length,
    find: (token) => {
      const presented = digestOf(token);
      let caller: Caller | null = null;
      for (const entry of entries) if (timingSafeEqual(entry.digest, presented)) caller = entry.caller;
      return caller;
    },
  };
}
