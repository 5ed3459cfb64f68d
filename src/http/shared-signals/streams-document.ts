import { z } from 'zod';
import { failure, type Result, success } from '../../domain/result.ts';
import { parseYaml } from '../../platform/yaml-document.ts';

/** Signatures by private keys alone: with `none` or a shared secret anybody could sign, who has the public key. */
const ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

const STREAMS_MAX = 32;

const url = z
  .string()
  .max(2048)
  .refine(isPlainUrl, 'must be an https:// URL without user and fragment (http:// on loopback)');
const text = z.string().min(1).max(2048);

const pollSchema = z.strictObject({
  url,
  token_file: z.string().min(1).optional(),
  interval_seconds: z.int().min(1).max(3600).default(10),
});

const streamSchema = z
  .strictObject({
    issuer: text,
    audience: z.union([text, z.array(text).min(1).max(16)]),
    jwks_uri: url.optional(),
    jwks_file: z.string().min(1).optional(),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .default([...ALGORITHMS]),
    poll: pollSchema.optional(),
  })
  .refine(
    ({ jwks_uri: uri, jwks_file: file }) => (uri === undefined) !== (file === undefined),
    'needs jwks_uri or jwks_file, and not both',
  );

const documentSchema = z.strictObject({
  streams: z
    .record(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be a name of lower case, digits, dashes and underscores'),
      streamSchema,
    )
    .refine((all) => Object.keys(all).length > 0, 'names no stream')
    .refine((all) => Object.keys(all).length <= STREAMS_MAX, `names more than ${STREAMS_MAX} streams`),
});

/** One stream as the file gives it. */
export type StreamDocument = z.output<typeof streamSchema>;

/** The streams of a file by their names, or every mistake in it as `line:column: message`. */
export function readStreams(content: string): Result<Readonly<Record<string, StreamDocument>>, string> {
  const document = parseYaml(content);
  if (document.mistakes.length > 0) return failure(document.mistakes);
  const parsed = documentSchema.safeParse(document.value);
  if (parsed.success) return success(parsed.data.streams);
  return failure(
    document.describe(
      parsed.error.issues.map(({ path, message }) => ({
        path: path.filter((step) => typeof step !== 'symbol'),
        message,
      })),
    ),
  );
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value) || value.includes('#')) return false;
  const { protocol, hostname, username, password } = new URL(value);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));
  return isSafe && username === '' && password === '';
}
