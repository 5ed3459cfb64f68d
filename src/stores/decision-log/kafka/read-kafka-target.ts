import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SettingValues } from '../../../platform/setting.ts';
import { KAFKA_SETTINGS } from './kafka-settings.ts';
import type { KafkaLogin, KafkaTarget, KafkaTls } from './kafka-target.ts';

type KafkaValues = SettingValues<typeof KAFKA_SETTINGS>;
type Name = keyof KafkaValues;

const FILES = {
  caFile: { what: 'a certificate', parse: (text: string) => new X509Certificate(text) },
  certFile: { what: 'a certificate', parse: (text: string) => new X509Certificate(text) },
  keyFile: { what: 'a private key', parse: (text: string) => createPrivateKey(text) },
} as const;
const OF_TLS = ['caFile', 'certFile', 'keyFile', 'serverName'] as const;
const OF_PASSWORDS = ['username', 'password'] as const;

/** Every mistake in the variables of Kafka and in the files that they name, one line each. */
export function findKafkaMistakes(values: KafkaValues): readonly string[] {
  const has = (name: Name) => values[name] !== undefined;
  return [
    ...(values.isTls ? [] : OF_TLS.filter(has).map((name) => `${env(name)} needs KAFKA_TLS=on`)),
    ...(has('certFile') === has('keyFile')
      ? []
      : ['KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE need each other']),
    ...findLoginMistakes(values.mechanism, has),
    ...(['caFile', 'certFile', 'keyFile'] as const).flatMap((name) => checkPem(name, values[name])),
    ...checkToken(values.tokenFile),
  ];
}

/** The topic of the variables, with the files of TLS read. Throws where findKafkaMistakes has found any. */
export function readKafkaTarget(values: KafkaValues): KafkaTarget {
  const { brokers, topic, compression, isTls } = values;
  return { brokers, topic, compression, tls: isTls ? readTls(values) : null, login: toLogin(values) };
}

/** Whether a password or a token is sent so that whoever is on the way can read it. */
export function isLoginReadable({ tls, login }: KafkaTarget): boolean {
  return tls === null && (login?.mechanism === 'PLAIN' || login?.mechanism === 'OAUTHBEARER');
}

function findLoginMistakes(mechanism: KafkaValues['mechanism'], has: (name: Name) => boolean): string[] {
  const needed: readonly Name[] =
    mechanism === undefined ? [] : mechanism === 'OAUTHBEARER' ? ['tokenFile'] : OF_PASSWORDS;
  const others = [...OF_PASSWORDS, 'tokenFile' as const].filter(
    (name) => !needed.includes(name) && has(name),
  );
  return [
    ...needed
      .filter((name) => !has(name))
      .map((name) => `KAFKA_SASL_MECHANISM ${mechanism} needs ${env(name)}`),
    ...others.map((name) =>
      mechanism === undefined
        ? `${env(name)} needs KAFKA_SASL_MECHANISM`
        : `${env(name)} does not go with KAFKA_SASL_MECHANISM ${mechanism}`,
    ),
  ];
}

function readTls({ caFile, certFile, keyFile, serverName }: KafkaValues): KafkaTls {
  const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path, 'utf8'));
  return { ca: read(caFile), cert: read(certFile), key: read(keyFile), serverName: serverName ?? null };
}

function toLogin({ mechanism, username, password, tokenFile }: KafkaValues): KafkaLogin | null {
  if (mechanism === undefined) return null;
  if (mechanism === 'OAUTHBEARER') return tokenFile === undefined ? null : { mechanism, tokenFile };
  return username === undefined || password === undefined ? null : { mechanism, username, password };
}

function checkPem(name: keyof typeof FILES, path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const named = `${env(name)} ${path}`;
  const text = readOrCode(path);
  if ('code' in text) return [`${named}: cannot be read (${text.code})`];
  const { what, parse } = FILES[name];
  try {
    parse(text.text);
    return [];
  } catch {
    // Of OpenSSL: it is something else.
    return [`${named}: is not ${what} in PEM`];
  }
}

function checkToken(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const text = readOrCode(path);
  return 'code' in text ? [`${env('tokenFile')} ${path}: cannot be read (${text.code})`] : [];
}

function readOrCode(path: string): { readonly text: string } | { readonly code: string } {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return { code: String(error instanceof Error ? Reflect.get(error, 'code') : error) };
  }
}

function env(name: Name): string {
  return KAFKA_SETTINGS[name].env;
}
