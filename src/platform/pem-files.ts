import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The files of TLS by their paths; null for one that is not named. */
export interface TlsPaths {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

/** What those files hold, as PEM. */
interface TlsTexts {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** Every mistake in the files of TLS, one line each, which begins with the variable that names the file. */
export function findTlsMistakes(
  paths: TlsPaths,
  variables: Readonly<Record<keyof TlsPaths, { readonly env: string }>>,
): readonly string[] {
  const check = (file: keyof TlsPaths, what: string, parse: (text: string) => unknown) => {
    const path = paths[file];
    return path === null ? [] : checkPem(`${variables[file].env} ${path}`, path, what, parse);
  };
  return [
    ...check('caFile', 'a certificate', (text) => new X509Certificate(text)),
    ...check('certFile', 'a certificate', (text) => new X509Certificate(text)),
    ...check('keyFile', 'a private key', (text) => createPrivateKey(text)),
  ];
}

/** Reads the files of TLS. Throws when one cannot be read; see findTlsMistakes beforehand. */
export function readTlsFiles({ caFile, certFile, keyFile }: TlsPaths): TlsTexts {
  return { ca: readText(caFile), cert: readText(certFile), key: readText(keyFile) };
}

function readText(path: string | null): string | null {
  return path === null ? null : readFileSync(path, 'utf8');
}

function checkPem(
  named: string,
  path: string,
  what: string,
  parse: (text: string) => unknown,
): readonly string[] {
  try {
    parse(readFileSync(path, 'utf8'));
    return [];
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
    const isUnread = typeof code === 'string' && /^E[A-Z]+$/.test(code);
    return [isUnread ? `${named}: cannot be read (${code})` : `${named}: is not ${what} in PEM`];
  }
}
