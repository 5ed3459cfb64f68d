import { hash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { CallerLimits } from '../../application/callers/hold-to-limits.ts';
import type { Result } from '../../domain/result.ts';
import { isWellKnownKey } from '../../platform/exposure.ts';
import { type LocatedMistake, parseYaml } from '../../platform/yaml-document.ts';

/**
 * What a key may do: ask for decisions and say how they turned out; read policies, decisions and lists; label
 * decisions and change lists; purge and forget, and all of `review`; get the answers to test
 * ids; deliver shared signals.
 */
export const SCOPES = ['decide', 'read', 'review', 'admin', 'signal', 'test'] as const;

/** What a key allows. */
type Scope = (typeof SCOPES)[number];

/** What a route needs: one scope, or any of several. */
export type NeededScope = Scope | readonly Scope[];

/** Who is asking. */
export interface Caller {
  /** The id of the key in the file. Several keys may share one, and then share its limits. */
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Unix milliseconds at which the key expires; null for a key that does not expire. */
  readonly notAfterMs: number | null;
  readonly limits: CallerLimits | null;
  readonly use: KeyUse;
}

/** When one key was last accepted. It is kept when the key file is reloaded. */
interface KeyUse {
  /** The id of the caller. */
  readonly caller: string;
  /** The first digits of the key's hash, as in the file. */
  readonly key: string;
  /** Unix milliseconds; 0 if not since the start of the process. */
  lastMs: number;
}

/** Enough to tell a thousand keys apart and to find one in the file. */
const KEY_DIGITS = 12;

/**
 * Digests that are remembered, of good and of wrong keys alike: what is compared, and how, stays the same.
 */
const DIGESTS_MAX = 256;
/** A longer token is not a key, and is not remembered. */
const TOKEN_LENGTH_MAX = 256;

/**
 * The keys of one file. It remembers the digests of keys that were presented lately, in this process alone.
 */
export interface Keyring {
  readonly size: number;
  /** The ids of publicly known keys, which demos and tests use. */
  readonly wellKnown: readonly string[];
  /**
   * The caller that a presented key belongs to, expired or not, or null. Takes the same time whichever key
   * matches, and when none does.
   */
  find(token: string): Caller | null;
  /** The caller whose key has this SHA-256, in 64 hex digits, expired or not, or null. */
  holderOf(digest: string): Caller | null;
  /** When each key was last accepted, in the order of the file. */
  uses(): readonly KeyUse[];
}

const count = (max: number) => z.int().min(1).max(max);

const limitsSchema = z
  .strictObject({
    requests: count(10_000_000).optional(),
    window_seconds: count(86_400).optional(),
    concurrent: count(100_000).optional(),
  })
  .refine(({ requests, concurrent }) => requests !== undefined || concurrent !== undefined, 'limits nothing')
  .refine(
    (limits) => (limits.requests === undefined) === (limits.window_seconds === undefined),
    'needs requests and window_seconds together',
  );

const apiKeysSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        id: z
          .string()
          .regex(
            /^[A-Za-z0-9_.-]{1,64}$/,
            'must be letters, digits, dots, dashes and underscores, at most 64',
          ),
        sha256: z.string().regex(/^[0-9a-f]{64}$/i, 'must be the SHA-256 of the key in 64 hex digits'),
        // Whoever names a test id would be let in by a back end whose key takes real ones too.
        scopes: z
          .array(z.enum(SCOPES))
          .min(1)
          .refine(
            (scopes) => !scopes.includes('test') || scopes.every((scope) => scope === 'test'),
            'test stands alone: users choose telemetry ids, and a test id must open nothing to them',
          ),
        not_after: z.iso
          .datetime({
            offset: true,
            error: 'must be a time with its offset (RFC 3339), for example 2027-01-31T00:00:00Z',
          })
          .optional(),
        limits: limitsSchema.optional(),
      }),
    )
    .min(1)
    .max(1000),
});

/** True for a caller who has what is needed. */
export function hasScope({ scopes }: Pick<Caller, 'scopes'>, needed: NeededScope): boolean {
  return typeof needed === 'string' ? scopes.has(needed) : needed.some((scope) => scopes.has(scope));
}

/** True for a caller who gets the answers to test ids, and no other. */
export function isTestCaller({ scopes }: Pick<Caller, 'scopes'>): boolean {
  return scopes.has('test');
}

/** Who may use the key for `scope` at `nowMs`; null where it is unknown, expired or lacks the scope. */
export function findHolder(
  keys: Pick<Keyring, 'find'>,
  token: string,
  scope: NeededScope,
  nowMs: number,
): Caller | null {
  const caller = keys.find(token);
  if (caller === null || !hasScope(caller, scope)) return null;
  return caller.notAfterMs !== null && caller.notAfterMs <= nowMs ? null : caller;
}

type KeyringResult = Result<Keyring, string>;
type KeysResult = Result<readonly KeyEntry[], string>;

/** Reads the text of an API key file, or returns every mistake in it as `line:column: message`. */
export function loadKeyring(text: string): KeyringResult {
  const checked = checkKeys(text);
  return checked.ok ? { ok: true, value: createKeyring(checked.value) } : checked;
}

/** The entries of an API key file as plain data, or every mistake in it. */
export function checkKeys(text: string): KeysResult {
  const document = parseYaml(text, { isSecret: true });
  if (document.mistakes.length > 0) return { ok: false, mistakes: document.mistakes };
  const parsed = apiKeysSchema.safeParse(document.value);
  const mistakes: readonly LocatedMistake[] = parsed.success
    ? findContradictions(parsed.data.keys)
    : parsed.error.issues.map(({ path, message }) => ({
        path: path.filter((step) => typeof step !== 'symbol'),
        message,
      }));
  if (!parsed.success || mistakes.length > 0) return { ok: false, mistakes: document.describe(mistakes) };
  return { ok: true, value: parsed.data.keys };
}

function findContradictions(keys: readonly KeyEntry[]): readonly LocatedMistake[] {
  const digests = new Set<string>();
  const limitsById = new Map<string, string>();
  return keys.flatMap((key, index) => {
    const mistakes: LocatedMistake[] = [];
    const digest = key.sha256.toLowerCase();
    if (digests.has(digest))
      mistakes.push({ path: ['keys', index, 'sha256'], message: 'the same key stands twice' });
    digests.add(digest);
    const limits = toLimitsText(key);
    if ((limitsById.get(key.id) ?? limits) !== limits)
      mistakes.push({
        path: ['keys', index, 'limits'],
        message: 'keys of one id share their limits: give each of them the same',
      });
    if (!limitsById.has(key.id)) limitsById.set(key.id, limits);
    return mistakes;
  });
}

/** One entry of an API key file, as plain data. */
export type KeyEntry = z.output<typeof apiKeysSchema>['keys'][number];

function toLimitsText(key: KeyEntry): string {
  const { requests, window_seconds: seconds, concurrent } = key.limits ?? {};
  return [requests, seconds, concurrent].join();
}

function toCaller({ id, scopes, not_after: notAfter, limits }: KeyEntry, use: KeyUse): Caller {
  return {
    use,
    id,
    scopes: new Set(scopes.includes('admin') ? [...scopes, 'review'] : scopes),
    notAfterMs: notAfter === undefined ? null : Date.parse(notAfter),
    limits: limits === undefined ? null : toLimits(limits),
  };
}

function toLimits({
  requests,
  window_seconds: windowSeconds,
  concurrent,
}: z.output<typeof limitsSchema>): CallerLimits {
  const rate = requests === undefined || windowSeconds === undefined ? null : { requests, windowSeconds };
  return { rate, concurrent: concurrent ?? null };
}

/**
 * The keyring of entries that were checked. Keys that `previous` holds too keep the time of their last use.
 */
export function createKeyring(keys: readonly KeyEntry[], previous: Keyring | null = null): Keyring {
  const usesBefore = new Map(previous?.uses().map((use) => [`${use.caller} ${use.key}`, use]));
  const entries = keys.map((key) => {
    const digits = key.sha256.slice(0, KEY_DIGITS).toLowerCase();
    const use = usesBefore.get(`${key.id} ${digits}`) ?? { caller: key.id, key: digits, lastMs: 0 };
    return { digest: Buffer.from(key.sha256, 'hex'), caller: toCaller(key, use) };
  });
  const holders = new Map(entries.map(({ digest, caller }) => [digest.toString('hex'), caller]));
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
    uses: () => entries.map(({ caller }) => caller.use),
    wellKnown: keys.filter(({ sha256 }) => isWellKnownKey(sha256)).map(({ id }) => id),
    holderOf: (digest) => holders.get(digest) ?? null,
    find: (token) => {
      const presented = digestOf(token);
      let caller: Caller | null = null;
      for (const entry of entries) if (timingSafeEqual(entry.digest, presented)) caller = entry.caller;
      return caller;
    },
  };
}
