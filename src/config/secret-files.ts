import { z } from 'zod';
import type { Result } from '../platform/result.ts';
import type { Setting } from '../platform/setting.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The text of a file, or why it cannot be had, beginning with its path. */
export type ReadSecret = (path: string) => Result<string>;

/**
 * What stands for a secret whose file cannot be used: the mistake is told, and nothing else is to be told of
 * it. No variable can hold it.
 */
export const UNREAD = '\0';

/** The variables that name a file in place of a secret, one for each secret among `settings`. */
export function secretFileSettings(settings: readonly Setting[]): readonly Setting[] {
  return settings.filter(isSecret).map(({ env }) => ({
    env: toFileVariable(env),
    schema: z.string().min(1),
    isOptional: true,
    description: `In place of \`${env}\`: a file that holds it, read at the start. One line break at its end is cut off.`,
  }));
}

/** `env` with the secrets of the files that it names in their places, and every mistake in that. */
export function readSecretFiles(
  env: Environment,
  settings: readonly Setting[],
  readSecret: ReadSecret,
): { readonly env: Environment; readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const found: Record<string, string> = {};
  for (const { env: name } of settings.filter(isSecret)) {
    const variable = toFileVariable(name);
    const path = env[variable];
    if (!path) continue;
    if (env[name]) {
      mistakes.push(`${name} and ${variable} exclude each other: set one of them`);
      continue;
    }
    const read = readSecret(path);
    const text = read.ok ? toSecret(read.value) : '';
    if (!read.ok) mistakes.push(...read.mistakes.map((mistake) => `${variable} ${mistake}`));
    else if (text === '') mistakes.push(`${variable} ${path}: is empty`);
    found[name] = text === '' ? UNREAD : text;
  }
  return { env: { ...env, ...found }, mistakes };
}

/** A credential of a provider is a secret too. */
function isSecret({ isSecret: isMarked, isCredential }: Setting): boolean {
  return isMarked === true || isCredential === true;
}

function toFileVariable(name: string): string {
  return `${name}_FILE`;
}

/** Editors and `echo` end a file with a line break, and some begin it with a byte order mark. */
function toSecret(text: string): string {
  return text.replace(/^\ufeff/, '').replace(/\r?\n$/, '');
}
