import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  type MessageRecord,
  NumericMap,
  ProduceAcks,
  Producer,
  produceV3,
  produceV4,
  produceV5,
  produceV6,
  produceV7,
  produceV8,
  produceV9,
  produceV10,
  produceV11,
  protocolErrorsCodesById,
  ResponseError,
} from '@platformatic/kafka';
import { toKafkaErrorCode } from './kafka-error-code.ts';
import type { KafkaTarget } from './kafka-target.ts';

/** By its version number; older brokers than Kafka 1.0 know none of them. */
const PRODUCE_APIS = new Map(
  [produceV3, produceV4, produceV5, produceV6, produceV7, produceV8, produceV9, produceV10, produceV11].map(
    ({ api }) => [api.version, api],
  ),
);
const CONNECT_MS = 3_000;
/** How long brokers wait for each other, and how long is waited for them: the second is the longer one. */
const PRODUCE_MS = 5_000;
const REQUEST_MS = 8_000;
/** Each attempt begins with another broker, so that one which answers nobody does not hold up all. */
const ATTEMPTS_MORE = 2;
const RETRY_MS = 50;

/** Whom the brokers know a row of messages by. They number its messages, and keep each number once. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/** A node, by which those of its partitions are known that it leads. */
export interface Leader {
  readonly node: number;
  readonly host: string;
  readonly port: number;
}

/** The messages of one partition that are sent at once, and the number of the first. */
export interface Slice {
  readonly partition: number;
  readonly sequence: number;
  readonly messages: readonly MessageRecord[];
}

/** The codes of the partitions that were written to: `NONE` where the broker has all messages. */
type Written = ReadonlyMap<number, string>;

/** What of a cluster is needed to write to one topic. Everything rejects as the client does. */
export interface KafkaCluster {
  /** Who leads each partition, in their order; null where nobody does. */
  readTopic(): Promise<readonly (Leader | null)[]>;
  createIdentity(): Promise<ProducerIdentity>;
  /** Resolves when every replica in sync has what is written. */
  write(leader: Leader, identity: ProducerIdentity, slices: readonly Slice[]): Promise<Written>;
}

/** The client of a cluster. It connects when it is asked. */
export function createKafkaCluster(target: KafkaTarget): KafkaCluster {
  return new Client(target);
}

class Client implements KafkaCluster {
  readonly #target: KafkaTarget;
  readonly #client: Producer;
  #apis: Awaited<ReturnType<Producer['listApis']>> | null = null;

  constructor(target: KafkaTarget) {
    this.#target = target;
    this.#client = new Producer({
      clientId: 'riskgate-decisions',
      bootstrapBrokers: [...target.brokers],
      ...toConnectionOptions(target),
      connectTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      timeout: PRODUCE_MS,
      retries: ATTEMPTS_MORE,
      retryDelay: RETRY_MS,
      autocreateTopics: false,
    });
    // The pool listens to the first error of a connection alone, and a second one would end the thread.
    this.#client.connections.on('connecting', ({ connection }) => connection.on('error', () => {}));
  }

  async readTopic(): Promise<readonly (Leader | null)[]> {
    const { topic } = this.#target;
    const { brokers, topics } = await this.#client
      .metadata({ topics: [topic], forceUpdate: true })
      .catch(toUnknownTopic);
    const { partitions = [] } = topics.get(topic) ?? {};
    return partitions.map(({ leader: node }) => {
      const broker = brokers.get(node);
      return broker === undefined ? null : { node, host: broker.host, port: broker.port };
    });
  }

  async createIdentity(): Promise<ProducerIdentity> {
    const { producerId: id, producerEpoch: epoch } = await this.#client.initIdempotentProducer({});
    return { id, epoch };
  }

  async write(leader: Leader, identity: ProducerIdentity, slices: readonly Slice[]): Promise<Written> {
    const { topic, compression } = this.#target;
    const connection = await this.#client.connections.get({ host: leader.host, port: leader.port });
    const api = await this.#findProduceApi();
    const sequences = new NumericMap();
    for (const { partition, sequence } of slices) sequences.set(`${topic}:${partition}`, sequence);
    const messages = slices.flatMap((slice) => slice.messages);
    const { id: producerId, epoch: producerEpoch } = identity;
    const options = { compression, producerId, producerEpoch, sequences };
    try {
      return toWritten(await api.async(connection, ProduceAcks.ALL, PRODUCE_MS, [...messages], options));
    } catch (error) {
      // Some partitions may have been written to all the same.
      if (error instanceof ResponseError) return toWritten(Reflect.get(error, 'response'));
      this.#apis = null;
      throw error;
    }
  }

  async #findProduceApi() {
    this.#apis ??= await this.#client.listApis();
    const { minVersion, maxVersion } = this.#apis.find(({ name }) => name === 'Produce') ?? {
      minVersion: 0,
      maxVersion: -1,
    };
    const version = [...PRODUCE_APIS.keys()].findLast((one) => one >= minVersion && one <= maxVersion);
    const api = version === undefined ? undefined : PRODUCE_APIS.get(version);
    if (api === undefined)
      throw Object.assign(new Error('no version in common'), { code: 'UNSUPPORTED_VERSION' });
    return api;
  }
}

/** The client tells of an unknown topic as if it were misused, and in words alone. */
function toUnknownTopic(error: unknown): never {
  if (toKafkaErrorCode(error) !== 'PLT_KFK_USER') throw error;
  throw Object.assign(new Error('the topic is not there', { cause: error }), {
    apiId: 'UNKNOWN_TOPIC_OR_PARTITION',
  });
}

function toWritten(response: unknown): Written {
  // What `parseResponse` of the client has made.
  const { responses } = response as {
    readonly responses: readonly {
      readonly partitionResponses: readonly produceV11.ProduceResponsePartition[];
    }[];
  };
  return new Map(
    responses
      .flatMap(({ partitionResponses }) => partitionResponses)
      .map(({ index, errorCode }) => [
        index,
        errorCode === 0 ? 'NONE' : (protocolErrorsCodesById[errorCode] ?? `CODE_${errorCode}`),
      ]),
  );
}

function toConnectionOptions({ brokers, tls, login }: KafkaTarget): ConnectionOptions {
  // A name for the server to choose its certificate by; an address is none (RFC 6066, section 3).
  const hasNames = brokers.every((broker) => isIP(toHost(broker)) === 0);
  const secured =
    tls === null
      ? {}
      : {
          tls: {
            ...(tls.ca === null ? {} : { ca: tls.ca }),
            ...(tls.cert === null ? {} : { cert: tls.cert }),
            ...(tls.key === null ? {} : { key: tls.key }),
          },
          tlsServerName: tls.serverName ?? hasNames,
        };
  if (login === null) return secured;
  if (login.mechanism !== 'OAUTHBEARER') return { ...secured, sasl: { ...login } };
  const token = async () => (await readFile(login.tokenFile, 'utf8')).trim();
  return { ...secured, sasl: { mechanism: login.mechanism, token, authBytesValidator: checkAnswer } };
}

/** A server that takes a token says nothing; one that refuses it says why (RFC 7628, section 3.2). */
function checkAnswer(answer: Buffer, callback: (error: Error | null, answer: Buffer) => void): void {
  const isRefused = answer.length > 0;
  callback(
    isRefused ? Object.assign(new Error('refused'), { apiId: 'SASL_AUTHENTICATION_FAILED' }) : null,
    answer,
  );
}

/** Of `host:port`. */
function toHost(broker: string): string {
  return broker.slice(0, broker.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}
