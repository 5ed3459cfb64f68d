import { z } from 'zod';

const KEY_BYTES_MIN = 32;
/** One in force, one to come or to go, and spare. Each costs every decision another lookup. */
const KEYS_MAX = 4;

const keySchema = z
  .string()
  .trim()
  .refine((key) => Buffer.byteLength(key) >= KEY_BYTES_MIN, `must be at least ${KEY_BYTES_MIN} bytes long`);

/** One key. A comma or a line break in it would make two of it in a list. */
export const idHashKeySchema = keySchema.refine(
  (key) => !/[,\n]/.test(key),
  'must not hold a comma or a line break',
);

/** Keys with commas or line breaks between, the one in force first. */
export const idHashKeysSchema = z
  .string()
  .transform((text) => text.split(/\s*[,\n]\s*/))
  .pipe(
    z
      .array(keySchema)
      .max(KEYS_MAX, `must be at most ${KEYS_MAX} keys`)
      .refine((keys) => new Set(keys).size === keys.length, 'names a key twice'),
  );

/** What was read of the two variables: null where one is not set, undefined where it is wrong. */
interface ReadHashKeys {
  readonly idHashKey: string | null | undefined;
  readonly idHashKeyList: readonly string[] | null | undefined;
}

/**
 * The keys that either of the two variables gives, the one in force first; undefined where there is a
 * mistake.
 */
export function chooseIdHashKeys(
  { idHashKey, idHashKeyList }: ReadHashKeys,
  env: Readonly<Record<string, string | undefined>>,
  mistakes: string[],
): readonly string[] | undefined {
  const [isOne, isList] = [env['ID_HASH_KEY'], env['ID_HASH_KEYS']].map(Boolean);
  if (isOne && isList) mistakes.push('ID_HASH_KEY and ID_HASH_KEYS are both set: put all into ID_HASH_KEYS');
  if (!isOne && !isList)
    mistakes.push('ID_HASH_KEY is missing: a secret of at least 32 bytes, or ID_HASH_KEYS with several');
  return idHashKeyList ?? (idHashKey ? [idHashKey] : undefined);
}
