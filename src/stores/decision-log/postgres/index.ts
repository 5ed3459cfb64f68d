import type { ConnectionOptions } from 'node:tls';
import type { Logger } from 'pino';
import { z } from 'zod';
import { findTlsMistakes, readTlsFiles, type TlsPaths } from '../../../platform/pem-files.ts';
import type { Settings, SettingValues } from '../../../platform/setting.ts';
import { defineSink } from '../definition.ts';
import { HISTORY_SETTINGS } from '../history-settings.ts';
import type { PostgresLogEvent } from './postgres-log.ts';
import { parseServerUrl } from './server-address.ts';

const file = z.string().min(1);

const VARIABLES = {
  server: {
    env: 'HISTORY_URL',
    isSecret: true,
    schema: z.string().transform((text, context) => {
      const parsed = parseServerUrl(text);
      if (parsed !== null) return parsed;
      const message =
        'must be a postgres:// URL with a user, hosts and a database, and at most sslmode and target_session_attrs behind them';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
    description:
      'The PostgreSQL (14 or later) of the sink `postgres`: `postgres://user:password@host:5432/database`, or several hosts with commas between, of which the one that takes writes is used. `?sslmode=verify-full` is TLS. Where it is set, `DECISION_LOG` is `postgres` unless it says otherwise.',
  },
  password: {
    env: 'HISTORY_PASSWORD',
    isSecret: true,
    schema: z.string().min(1),
    isOptional: true,
    description: 'The password of PostgreSQL, where `HISTORY_URL` has none.',
  },
  caFile: {
    env: 'HISTORY_TLS_CA_FILE',
    schema: file,
    isOptional: true,
    description: 'With TLS: the authorities to trust (PEM) instead of those that Node comes with.',
  },
  certFile: {
    env: 'HISTORY_TLS_CERT_FILE',
    schema: file,
    isOptional: true,
    description: 'With TLS: our own certificate (PEM), where PostgreSQL asks for one.',
  },
  keyFile: {
    env: 'HISTORY_TLS_KEY_FILE',
    schema: file,
    isOptional: true,
    description: 'With TLS: the key of our own certificate (PEM).',
  },
  ...HISTORY_SETTINGS,
} as const satisfies Settings;

type Values = SettingValues<typeof VARIABLES>;

/** An append of an answer that nobody waits for may take so long. */
const LOSSY_APPEND_MS = 10_000;
/** A server that takes longer only now and then is not given up at once. */
const APPEND_MS_MIN = 1_000;

/** A PostgreSQL that all replicas share: the history outlives them. */
export const postgres = defineSink({
  id: 'postgres',
  variables: VARIABLES,
  isDurable: true,
  isShared: true,
  isReadable: true,
  isFallback: false,
  isImmediate: false,
  needsRedis: false,
  check: (settings) => {
    const { server, password } = settings;
    const isTwice = server.password !== null && password !== undefined;
    return [
      ...(isTwice ? ['HISTORY_URL has a password, so that HISTORY_PASSWORD is one too many'] : []),
      ...findTlsMistakes(toPaths(settings), VARIABLES),
    ];
  },
  open: async (settings, { isStrict, removesOld, timeoutMs, countsKeptMs, clock, newId, logger }) => {
    const { server, password, retentionMs, labelledKeptMs, bytesMax } = settings;
    // Loaded where it is used: most services have no PostgreSQL.
    const { openPostgresLog } = await import('./postgres-log.ts');
    const { sink, reader, policies, close } = openPostgresLog({
      target: { ...server, password: server.password ?? password ?? null, tls: toTls(settings) },
      clock,
      writer: newId(),
      isSynced: isStrict,
      appendMs: isStrict ? Math.max(timeoutMs, APPEND_MS_MIN) : LOSSY_APPEND_MS,
      retentionMs,
      labelledKeptMs,
      bytesMax,
      countsKeptMs,
      removesOld,
      onEvent: (event) => report(event, logger),
    });
    return { sink, reader, policies, health: () => null, close };
  },
});

function toPaths({ caFile, certFile, keyFile }: Values): TlsPaths {
  return { caFile: caFile ?? null, certFile: certFile ?? null, keyFile: keyFile ?? null };
}

/** What is null is left to Node, which checks the certificate against the host. */
function toTls(settings: Values): ConnectionOptions | null {
  if (!settings.server.isTls) return null;
  const { ca, cert, key } = readTlsFiles(toPaths(settings));
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
  };
}

function report({ kind, ...fields }: PostgresLogEvent, logger: Logger): void {
  const line = { event: `decision_log.postgres_${kind}`, ...fields };
  if (kind === 'down') logger.warn(line, 'the history cannot be written');
  else logger.info(line);
}
