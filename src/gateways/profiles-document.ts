import { z } from 'zod';
import { isPlainPath } from './exemption.ts';
import { CALLER_HEADER, CHALLENGE_MODES, UNAVAILABLE_MODES } from './profile.ts';

/** Long enough for a burst of subrequests, short enough that a changed policy soon takes effect. */
const CACHE_TTL_SECONDS_MAX = 10;

/** As many as there may be API keys. */
const PROFILES_MAX = 1_000;

const fieldName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be letters, digits and dashes, at most 64')
  .transform((name) => name.toLowerCase());
const name = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be letters, digits, dots, dashes and underscores, at most 64');

const place = z.union(
  [
    z.strictObject({ header: fieldName }).transform((one) => ({ kind: 'header' as const, name: one.header })),
    z.strictObject({ query: name }).transform((one) => ({ kind: 'query' as const, name: one.query })),
    z.strictObject({ cookie: name }).transform((one) => ({ kind: 'cookie' as const, name: one.cookie })),
  ],
  { error: 'must be one of {header: …}, {query: …}, {cookie: …}' },
);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/i, 'must be the SHA-256 of the secret in 64 hex digits');

const caller = z.union(
  [
    z.strictObject({
      header: fieldName.default(CALLER_HEADER),
      sha256: z.union([sha256, z.array(sha256).min(1).max(8)]),
    }),
    z.strictObject({ addresses: z.array(z.string()).min(1).max(256) }),
    z.strictObject({ api_key_header: fieldName }),
  ],
  { error: 'must be one of {header, sha256}, {addresses}, {api_key_header}' },
);

/** `/assets/*` as its prefix `/assets/`, and any other path as itself. */
const withoutStar = (text: string) => (text.endsWith('/*') ? text.slice(0, -1) : text);

const exemptPath = z
  .string()
  .refine(
    (text) => isPlainPath(withoutStar(text)) && !withoutStar(text).includes('*'),
    'must be a plain path such as /health or /assets/*: no escapes, no dots alone, no `;`, and `*` only as the last segment',
  )
  .refine((text) => text !== '/*', 'exempts everything')
  .transform((text) => ({ path: withoutStar(text), isPrefix: text.endsWith('/*') }));

const places = z.array(place).min(1).max(16);

const profile = z.strictObject({
  caller: caller.optional(),
  telemetry_id: places.optional(),
  device_id: places.optional(),
  account_id: places.optional(),
  ip_header: fieldName.optional(),
  action: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be letters, digits, dots, dashes and underscores, at most 64')
    .optional(),
  deadline_ms: z.int().min(10).max(10_000).optional(),
  challenge: z.enum(CHALLENGE_MODES).default('deny'),
  challenge_url: z
    .string()
    .regex(/^https?:\/\/[\x21\x23-\x5b\x5d\x5f\x61-\x7a\x7e]+$/, 'must be an http:// or https:// URL')
    .refine((text) => URL.canParse(text), 'must be an http:// or https:// URL')
    .optional(),
  acr_values: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be words of printable ASCII')
    .max(256)
    .optional(),
  on_unavailable: z.enum(UNAVAILABLE_MODES).default('refuse'),
  cache_ttl_seconds: z.int().min(0).max(CACHE_TTL_SECONDS_MAX).default(0),
  exempt_methods: z
    .array(z.string().regex(/^[A-Z][A-Z-]{0,31}$/, 'must be a method in capitals'))
    .max(64)
    .default([]),
  exempt_paths: z.array(exemptPath).max(256).default([]),
});

/** The file of gateway profiles. */
export const profilesDocumentSchema = z.strictObject({
  profiles: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be a name of lower case, digits, dashes and underscores'),
      profile,
    )
    .refine((all) => Object.keys(all).length > 0, 'names no profile')
    .refine((all) => Object.keys(all).length <= PROFILES_MAX, `names more than ${PROFILES_MAX} profiles`),
});

/** The profiles of a file by their names. */
export type ProfilesByName = z.output<typeof profilesDocumentSchema>['profiles'];

/** One profile as a file gives it. */
export type ProfileDocument = z.output<typeof profile>;
