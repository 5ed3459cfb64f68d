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

/** The settings with `idHashKeys` in place of the two variables that may give them: the key in force first, undefined where there is none or a mistake in it. */
export function withIdHashKeys(
  { idHashKey, idHashKeyList, ...others }: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
  mistakes: string[],
): Record<string, unknown> {
  const [isOne, isList] = [env['ID_HASH_KEY'], env['ID_HASH_KEYS']].map(Boolean);
  if (isOne && isList) mistakes.push('ID_HASH_KEY and ID_HASH_KEYS are both set: put all into ID_HASH_KEYS');
  if (!isOne && !isList)
    mistakes.push('ID_HASH_KEY is missing: a secret of at least 32 bytes, or ID_HASH_KEYS with several');
  return { ...others, idHashKeys: idHashKeyList ?? (idHashKey === undefined ? undefined : [idHashKey]) };
}
