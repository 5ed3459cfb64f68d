/** PEM texts, and the name that certificates are checked against instead of the host; null where unset. */
export interface KafkaTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
}

/** How the service signs in. A token is read from its file each time, because tokens expire. */
export type KafkaLogin =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  | { readonly mechanism: 'OAUTHBEARER'; readonly tokenFile: string };

/** How the blocks of messages are compressed. */
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** The topic, and how its cluster is reached. It can be cloned to a thread. */
export interface KafkaTarget {
  /** `host:port` of some brokers; they name the others. At least one. */
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Null is a connection in the clear. */
  readonly tls: KafkaTls | null;
  /** Null where brokers do not ask who it is. */
  readonly login: KafkaLogin | null;
  readonly compression: (typeof COMPRESSIONS)[number];
}
