import { z } from 'zod';
import type { Settings } from '../../../platform/setting.ts';
import { COMPRESSIONS } from './kafka-target.ts';

const BROKER = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
const DEFAULT_PORT = 9_092;
const PORT_MAX = 65_535;
/** Kafka's own rule, without names of dots alone. */
const TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;
const file = z.string().min(1);

/** The variables of the sink. */
export const KAFKA_SETTINGS = {
  brokers: {
    env: 'KAFKA_BROKERS',
    schema: z.string().transform((text, context) => {
      const parsed = text.split(',').map((part) => parseBroker(part.trim()));
      const known = parsed.filter((broker) => broker !== null);
      if (known.length === parsed.length) return known;
      context.addIssue({ code: 'custom', message: 'must be a list of host:port, parted by commas' });
      return z.NEVER;
    }),
    description:
      'Some brokers of the sink `kafka`, `host:9092,host:9092`; they name the others. Kafka and what speaks its protocol.',
  },
  topic: {
    env: 'KAFKA_TOPIC',
    schema: z.string().regex(TOPIC, 'must be 1 to 249 letters, digits and ._-'),
    default: 'riskgate.decisions',
    description: 'With Kafka: the topic. It has to be there: the service creates none.',
  },
  compression: {
    env: 'KAFKA_COMPRESSION',
    schema: z.enum(COMPRESSIONS, `must be one of ${COMPRESSIONS.join(', ')}`),
    default: 'zstd',
    description: `With Kafka: how blocks of records are compressed, one of \`${COMPRESSIONS.join('`, `')}\`.`,
  },
  isTls: {
    env: 'KAFKA_TLS',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    default: 'off',
    description: 'With Kafka: TLS to all brokers.',
  },
  caFile: {
    env: 'KAFKA_TLS_CA_FILE',
    schema: file,
    isOptional: true,
    description: 'With `KAFKA_TLS`: the authorities to trust (PEM) instead of those that Node comes with.',
  },
  certFile: {
    env: 'KAFKA_TLS_CERT_FILE',
    schema: file,
    isOptional: true,
    description: 'With `KAFKA_TLS`: our own certificate (PEM), where brokers ask for one.',
  },
  keyFile: {
    env: 'KAFKA_TLS_KEY_FILE',
    schema: file,
    isOptional: true,
    description: 'With `KAFKA_TLS`: the key of our own certificate (PEM).',
  },
  serverName: {
    env: 'KAFKA_TLS_SERVER_NAME',
    schema: z.string().regex(/^[A-Za-z0-9._-]+$/, 'must be a host name'),
    isOptional: true,
    description:
      'With `KAFKA_TLS`: the name that certificates are checked against, where brokers are known by addresses that their certificates do not name.',
  },
  mechanism: {
    env: 'KAFKA_SASL_MECHANISM',
    schema: z.enum(
      ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'],
      'must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER',
    ),
    isOptional: true,
    description:
      'With Kafka: how the service signs in, `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`. Without it, it does not.',
  },
  username: {
    env: 'KAFKA_SASL_USERNAME',
    schema: z.string().min(1),
    isOptional: true,
    description: 'With `PLAIN` and `SCRAM`: the user.',
  },
  password: {
    env: 'KAFKA_SASL_PASSWORD',
    isSecret: true,
    schema: z.string().min(1),
    isOptional: true,
    description: 'With `PLAIN` and `SCRAM`: the password.',
  },
  tokenFile: {
    env: 'KAFKA_SASL_TOKEN_FILE',
    schema: file,
    isOptional: true,
    description:
      'With `OAUTHBEARER`: the file that holds the token. It is read at each sign-in, so that it can be renewed in place.',
  },
} as const satisfies Settings;

/** `host:port` with the port that is Kafka's own where none is named; null for anything else. */
function parseBroker(text: string): string | null {
  const [, host, port = String(DEFAULT_PORT)] = BROKER.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > PORT_MAX) return null;
  return `${host}:${Number(port)}`;
}
