/** Where a Redis listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** A user without a password cannot be; a password without a user is that of the user `default`. */
export interface RedisCredentials {
  readonly username: string | null;
  readonly password: string | null;
}

/**
 * PEM texts, and the name that certificates are checked against instead of the host; null where Node's own
 * choice stands.
 */
export interface RedisTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
}

interface Access {
  readonly keyPrefix: string;
  readonly credentials: RedisCredentials;
  /** Null is a connection in the clear. */
  readonly tls: RedisTls | null;
}

/** One server. */
export interface StandaloneTarget extends Access {
  readonly topology: 'standalone';
  readonly address: RedisAddress;
  readonly database: number;
}

/** The master that sentinels name. */
export interface SentinelTarget extends Access {
  readonly topology: 'sentinel';
  readonly sentinels: readonly RedisAddress[];
  readonly masterName: string;
  readonly sentinelCredentials: RedisCredentials;
  readonly database: number;
}

/** A cluster. */
export interface ClusterTarget extends Access {
  readonly topology: 'cluster';
  /** Some of the nodes, at least one. */
  readonly nodes: readonly RedisAddress[];
}

/** Which Redis the replicas share, and how it is reached. Every connection of the service begins with one. */
export type RedisTarget = StandaloneTarget | SentinelTarget | ClusterTarget;
