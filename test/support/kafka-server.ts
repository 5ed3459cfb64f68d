import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Admin, type ConnectionOptions } from '@platformatic/kafka';
import { findKafkaJars } from './kafka-jars.ts';
import { type KafkaProxy, startKafkaProxy } from './kafka-proxy.ts';
import { findFreePort, startProgram } from './start-program.ts';
import type { TlsFiles } from './tls-files.ts';

export interface KafkaServerOptions {
  /** How many brokers; each of them is a controller too. One unless it is said. */
  readonly nodes?: number;
  /** A second listener, with TLS and these users, each of whom every mechanism lets in. */
  readonly secured?: { readonly tls: TlsFiles; readonly users: Readonly<Record<string, string>> };
  /** Whether there is a listener behind a proxy, of one node alone. */
  readonly isProxied?: boolean;
  /** More lines of `server.properties`. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Real brokers on loopback ports, with their data in a folder that goes with the test. */
export interface KafkaServer {
  /** `host:port` with commas between, in the clear. */
  readonly brokers: string;
  /** The same, with TLS and SASL; empty without such a listener. */
  readonly securedBrokers: string;
  /** The proxy before the first node, where there is one. */
  readonly proxy: KafkaProxy | null;
  readonly nodes: readonly KafkaNode[];
  /** Where the data of all nodes are. */
  readonly directory: string;
  createTopic(name: string, options?: TopicOptions): Promise<void>;
}

export interface TopicOptions {
  readonly partitions?: number;
  readonly replicas?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** One broker. */
export interface KafkaNode {
  readonly id: number;
  /** The process; it is another one after each start, and 0 while there is none. */
  readonly pid: number;
  /** Stops the process without ending it: connections stay open, and nobody answers. */
  pause(): void;
  resume(): void;
  /** Kills the process, paused or not, and resolves when it is gone. Its data stay. */
  stop(): Promise<void>;
  /** Starts it again on the same port and the same data, and resolves when it answers. */
  start(): Promise<void>;
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

const START_WAIT_MS = 90_000;
const POLL_MS = 100;
const ID_BYTES = 16;
/** Quick to start, and small: a test writes little. */
const JAVA = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=ERROR'];
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

/** Starts Kafka, which ends with the test. Rejects when it does not answer within a minute and a half. */
export async function startKafkaServer(t: Teardown, options: KafkaServerOptions = {}): Promise<KafkaServer> {
  const jars = await findKafkaJars(t);
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-kafka-'));
  const places: Place[] = [];
  for (let id = 0; id < (options.nodes ?? 1); id += 1) places.push(await toPlace(id, directory));
  const [first] = places;
  const proxy =
    options.isProxied === true && first !== undefined ? await startKafkaProxy(t, first.proxiedPort) : null;
  const cluster: Cluster = { jars, clusterId: randomId(), places, options, proxy };
  const nodes = places.map((place) => new BrokerProcess(cluster, place));
  t.teardown(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(directory, { recursive: true, force: true });
  });
  if (options.secured !== undefined) await format(t, cluster, options.secured.users);
  await Promise.all(nodes.map((node) => node.start()));
  const toBrokers = (port: 'port' | 'securedPort') =>
    places.map((place) => `127.0.0.1:${place[port]}`).join(',');
  const brokers = toBrokers('port');
  return {
    brokers,
    securedBrokers: options.secured === undefined ? '' : toBrokers('securedPort'),
    proxy,
    nodes,
    directory,
    createTopic: (name, topic = {}) => createTopic(brokers, name, topic),
  };
}

/** What a client of the tests is built with. */
export function toClient(
  brokers: string,
): ConnectionOptions & { clientId: string; bootstrapBrokers: string[] } {
  return { clientId: 'test', bootstrapBrokers: brokers.split(',') };
}

interface Place {
  readonly id: number;
  readonly directory: string;
  readonly port: number;
  readonly securedPort: number;
  readonly proxiedPort: number;
  readonly controllerPort: number;
}

interface Cluster {
  readonly jars: string;
  readonly clusterId: string;
  readonly places: readonly Place[];
  readonly options: KafkaServerOptions;
  readonly proxy: KafkaProxy | null;
}

async function toPlace(id: number, parent: string): Promise<Place> {
  const directory = join(parent, String(id));
  mkdirSync(join(directory, 'data'), { recursive: true });
  // One after the other: two at once may find the same.
  const port = await findFreePort();
  const securedPort = await findFreePort();
  const proxiedPort = await findFreePort();
  return { id, directory, port, securedPort, proxiedPort, controllerPort: await findFreePort() };
}

class BrokerProcess implements KafkaNode {
  readonly id: number;
  readonly #cluster: Cluster;
  readonly #place: Place;
  #child: ChildProcess | null = null;
  readonly #killAtExit = () => this.#child?.kill('SIGKILL');

  constructor(cluster: Cluster, place: Place) {
    this.id = place.id;
    this.#cluster = cluster;
    this.#place = place;
    const properties = toProperties(cluster, place);
    writeFileSync(pathOf(place), toText(properties));
    // What StorageTool writes, without a start of Java for it.
    const meta = { version: '1', 'cluster.id': cluster.clusterId, 'node.id': String(place.id) };
    writeFileSync(
      join(place.directory, 'data', 'meta.properties'),
      toText({ ...meta, 'directory.id': randomId() }),
    );
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const child = spawn('java', [...toJava(this.#cluster), 'kafka.Kafka', pathOf(this.#place)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const collect = (text: Buffer) => {
      said = (said + text.toString()).slice(-20_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await once(child, 'spawn');
    this.#child = child;
    process.once('exit', this.#killAtExit);
    await untilAnswering(this.#place.port, () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Kafka has ended:\n${said}`);
    });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.off('exit', this.#killAtExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}

function toProperties(
  { places, options, proxy }: Cluster,
  { id, directory, port, securedPort, proxiedPort, controllerPort }: Place,
): Record<string, string> {
  const replicas = String(Math.min(places.length, 3));
  const voters = places.map((place) => `${place.id}@127.0.0.1:${place.controllerPort}`).join(',');
  const { secured, properties = {} } = options;
  const advertised = [`PLAINTEXT://127.0.0.1:${port}`];
  if (secured !== undefined) advertised.push(`SASL_SSL://127.0.0.1:${securedPort}`);
  const listeners = [...advertised, `CONTROLLER://127.0.0.1:${controllerPort}`];
  if (proxy !== null) {
    listeners.push(`PROXIED://127.0.0.1:${proxiedPort}`);
    advertised.push(`PROXIED://127.0.0.1:${proxy.port}`);
  }
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
    listeners: listeners.join(','),
    'advertised.listeners': advertised.join(','),
    'log.dirs': join(directory, 'data'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'share.coordinator.state.topic.replication.factor': replicas,
    'default.replication.factor': replicas,
    'group.initial.rebalance.delay.ms': '0',
    // A node that was killed is found missing, and takes part again, within a second or two.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'controlled.shutdown.enable': 'false',
    ...(secured === undefined ? {} : toSecurity(secured, directory)),
    ...properties,
  };
}

function toSecurity(
  { tls, users }: NonNullable<KafkaServerOptions['secured']>,
  directory: string,
): Record<string, string> {
  // A store in PEM is the key with its certificate.
  const keystore = join(directory, 'keystore.pem');
  writeFileSync(keystore, readFileSync(tls.key, 'utf8') + readFileSync(tls.cert, 'utf8'));
  const listener = 'listener.name.sasl_ssl';
  const plain = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  const modules: Readonly<Record<(typeof MECHANISMS)[number], string>> = {
    PLAIN: `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain.join(' ')};`,
    'SCRAM-SHA-256': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'SCRAM-SHA-512': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    // Unsecured tokens: their claims are checked, and no signature.
    OAUTHBEARER:
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="server";',
  };
  return {
    'sasl.enabled.mechanisms': MECHANISMS.join(','),
    ...Object.fromEntries(
      MECHANISMS.map((name) => [`${listener}.${name.toLowerCase()}.sasl.jaas.config`, modules[name]]),
    ),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': tls.ca,
    [`${listener}.ssl.client.auth`]: 'required',
  };
}

/** Users of SCRAM are a part of the first metadata. */
async function format(t: Teardown, cluster: Cluster, users: Readonly<Record<string, string>>): Promise<void> {
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
      '--add-scram',
      `${mechanism}=[name=${name},password=${password}]`,
    ]),
  );
  for (const place of cluster.places) {
    rmSync(join(place.directory, 'data', 'meta.properties'));
    const args = ['format', '-t', cluster.clusterId, '-c', pathOf(place), ...scram];
    const java = ['java', ...toJava(cluster), 'kafka.tools.StorageTool', ...args] as const;
    const { ended } = await startProgram(t, java, { env: process.env });
    const { code, stdout, stderr } = await ended;
    if (code !== 0) throw new Error(`StorageTool ended with ${code}:\n${stdout}\n${stderr}`);
  }
}

function toJava({ jars }: Cluster): string[] {
  return [...JAVA, '-cp', join(jars, '*')];
}

async function untilAnswering(port: number, check: () => void): Promise<void> {
  const deadlineMs = performance.now() + START_WAIT_MS;
  while (performance.now() < deadlineMs) {
    check();
    const admin = new Admin({ ...toClient(`127.0.0.1:${port}`), retries: 0, connectTimeout: 2000 });
    try {
      const { brokers } = await admin.metadata({ topics: [], forceUpdate: true });
      if ([...brokers.values()].some((broker) => broker.port === port)) return;
    } catch {
      // It does not listen yet, or does not know yet who is in charge.
    } finally {
      await admin.close();
    }
    await delay(POLL_MS);
  }
  throw new Error('Kafka did not answer');
}

async function createTopic(brokers: string, name: string, options: TopicOptions): Promise<void> {
  const { partitions = 1, replicas = 1, configs = {} } = options;
  const admin = new Admin(toClient(brokers));
  try {
    await admin.createTopics({
      topics: [name],
      partitions,
      replicas,
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    });
  } finally {
    await admin.close();
  }
}

function pathOf({ directory }: Place): string {
  return join(directory, 'server.properties');
}

function toText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** As Kafka spells its UUIDs. */
function randomId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
