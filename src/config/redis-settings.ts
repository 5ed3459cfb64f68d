import { z } from 'zod';
import { integer, type Settings } from '../platform/setting.ts';
import type { ConfigValues } from './read-settings.ts';
import { parseRedisUrl, type RedisAddressConfig, type RedisCredentialsConfig } from './redis-url.ts';

const PREFIX_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;
const ADDRESS_PATTERN = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;

const file = z.string().min(1);
const password = z.string().min(1);

const addresses = (defaultPort: number) =>
  z.string().transform((text, context) => {
    const parsed = text.split(',').map((part) => parseAddress(part.trim(), defaultPort));
    const known = parsed.filter((address) => address !== null);
    if (known.length === parsed.length) return known;
    context.addIssue({ code: 'custom', message: 'must be a list of host:port, parted by commas' });
    return z.NEVER;
  });

/**
 * The variables that say which Redis the replicas share. One of `REDIS_URL`, `REDIS_SENTINELS` and
 * `REDIS_CLUSTER` turns it on.
 */
export const REDIS_SETTINGS = {
  url: {
    env: 'REDIS_URL',
    isSecret: true,
    schema: z.string().transform((text, context) => {
      const parsed = parseRedisUrl(text);
      if (parsed !== null) return parsed;
      const message = 'must be a redis:// or rediss:// URL with nothing behind its database number';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
    isOptional: true,
    description:
      'One Redis that the replicas share evidence and the custody of telemetry ids through: `redis://user:password@host:6379/0`, or `rediss://` for TLS. Without any Redis each process keeps its own.',
  },
  sentinels: {
    env: 'REDIS_SENTINELS',
    schema: addresses(26_379),
    isOptional: true,
    description: 'Instead of `REDIS_URL`: the sentinels that know the master, `host:26379,host:26379`.',
  },
  masterName: {
    env: 'REDIS_MASTER',
    schema: z.string().regex(/^[A-Za-z0-9._-]+$/, 'must be the name of a master'),
    isOptional: true,
    description: 'With `REDIS_SENTINELS`, and required there: the name under which they watch the master.',
  },
  nodes: {
    env: 'REDIS_CLUSTER',
    schema: addresses(6_379),
    isOptional: true,
    description:
      'Instead of `REDIS_URL`: some nodes of a Redis Cluster, `host:6379,host:6379`. The others are found through them; name several that last.',
  },
  username: {
    env: 'REDIS_USERNAME',
    schema: z.string().min(1),
    isOptional: true,
    description: 'With sentinels or a cluster: the ACL user. With `REDIS_URL` it stands in the URL.',
  },
  password: {
    env: 'REDIS_PASSWORD',
    isSecret: true,
    schema: password,
    isOptional: true,
    description: 'With sentinels or a cluster: the password. With `REDIS_URL` it stands in the URL.',
  },
  database: {
    env: 'REDIS_DB',
    schema: integer(0, 65_535),
    isOptional: true,
    description: 'With sentinels: the database number, 0 unless set. With `REDIS_URL` it stands in the URL.',
  },
  sentinelUsername: {
    env: 'REDIS_SENTINEL_USERNAME',
    schema: z.string().min(1),
    isOptional: true,
    description: 'The ACL user at the sentinels themselves.',
  },
  sentinelPassword: {
    env: 'REDIS_SENTINEL_PASSWORD',
    isSecret: true,
    schema: password,
    isOptional: true,
    description: 'The password of the sentinels themselves.',
  },
  keyPrefix: {
    env: 'REDIS_KEY_PREFIX',
    schema: z
      .string()
      .regex(PREFIX_PATTERN, 'must be 1 to 64 letters, digits and _.:- that begin with a letter or digit'),
    default: 'riskgate',
    description: 'What every key and channel begins with, `:` follows. Keeps deployments apart in one Redis.',
  },
  isTls: {
    env: 'REDIS_TLS',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    isOptional: true,
    description: 'With sentinels or a cluster: TLS to all of them. With `REDIS_URL` the scheme says it.',
  },
  caFile: {
    env: 'REDIS_TLS_CA_FILE',
    schema: file,
    isOptional: true,
    description: 'With TLS: the authorities to trust (PEM) instead of those that Node comes with.',
  },
  certFile: {
    env: 'REDIS_TLS_CERT_FILE',
    schema: file,
    isOptional: true,
    description: 'With TLS: our own certificate (PEM), where Redis asks for one.',
  },
  keyFile: {
    env: 'REDIS_TLS_KEY_FILE',
    schema: file,
    isOptional: true,
    description: 'With TLS: the key of our own certificate (PEM).',
  },
  serverName: {
    env: 'REDIS_TLS_SERVER_NAME',
    schema: z.string().regex(/^[A-Za-z0-9._-]+$/, 'must be a host name'),
    isOptional: true,
    description:
      'With TLS: the name that certificates are checked against, where nodes are known by addresses that their certificates do not name.',
  },
} as const satisfies Settings;

/** Files of TLS; null where none is named. */
export interface RedisTlsConfig {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly serverName: string | null;
}

/** Which Redis the replicas share, and how it is reached. */
export type RedisConfig = {
  readonly keyPrefix: string;
  readonly credentials: RedisCredentialsConfig;
  /** Null is a connection in the clear. */
  readonly tls: RedisTlsConfig | null;
} & (
  | { readonly topology: 'standalone'; readonly address: RedisAddressConfig; readonly database: number }
  | {
      readonly topology: 'sentinel';
      readonly sentinels: readonly RedisAddressConfig[];
      readonly masterName: string;
      readonly sentinelCredentials: RedisCredentialsConfig;
      readonly database: number;
    }
  | { readonly topology: 'cluster'; readonly nodes: readonly RedisAddressConfig[] }
);

type RedisValues = ConfigValues<typeof REDIS_SETTINGS>;

/**
 * Puts the parsed variables together; null where no Redis is configured. Only to be used when
 * `findRedisMistakes` finds none.
 */
export function toRedisConfig(values: RedisValues): RedisConfig | null {
  const { url, sentinels, nodes, keyPrefix } = values;
  const credentials = { username: values.username, password: values.password };
  const shared = { keyPrefix, credentials, tls: toTls(values) };
  const database = values.database ?? 0;
  if (url !== null) {
    const { host, port, username, password: secret } = url;
    const address = { host, port };
    return {
      ...shared,
      credentials: { username, password: secret },
      topology: 'standalone',
      address,
      database: url.database,
    };
  }
  if (sentinels !== null) {
    const { masterName, sentinelUsername, sentinelPassword } = values;
    const sentinelCredentials = { username: sentinelUsername, password: sentinelPassword };
    return {
      ...shared,
      topology: 'sentinel',
      sentinels,
      masterName: masterName ?? '',
      sentinelCredentials,
      database,
    };
  }
  return nodes === null ? null : { ...shared, topology: 'cluster', nodes };
}

function toTls({ url, isTls, caFile, certFile, keyFile, serverName }: RedisValues): RedisTlsConfig | null {
  return (url?.isTls ?? isTls) === true ? { caFile, certFile, keyFile, serverName } : null;
}

function parseAddress(text: string, defaultPort: number): RedisAddressConfig | null {
  const [, host, port = String(defaultPort)] = ADDRESS_PATTERN.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
