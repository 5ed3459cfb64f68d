/** The gRPC entry point of the real process: health, reflection, and an end that drops no call. */
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import descriptor, { type IFileDescriptorProto } from 'protobufjs/ext/descriptor/index.js';
import t, { type Test } from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { createEnvoyClient } from '../support/envoy-client.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { runProgram } from '../support/start-program.ts';
import { createServiceEnvironment, patienceOf, SERVICE_KEY, startService } from '../support/start-service.ts';
import { until } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const SERVICE = 'envoy.service.auth.v3.Authorization';
const REFLECTION_PROTO = fileURLToPath(
  new URL(
    '../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    import.meta.url,
  ),
);

const emulators = createEmulatorServer({ providers: VENDORS });
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());

async function startGrpc(t: Test, env: Readonly<Record<string, string>> = {}) {
  const service = await startService(t, { ...createServiceEnvironment(t, upstream), GRPC_PORT: '0', ...env });
  const [, port] = await service.until(/"event":"grpc\.listening","port":(\d+)/);
  return { service, port: Number(port) };
}

t.test('answers the standard health service, before the HTTP port listens', async (t) => {
  const { port, service } = await startGrpc(t);
  const client = createPlainClient(t, port);
  for (const name of ['', SERVICE]) t.match(await askForHealth(client, name), { status: 'SERVING' });
  await t.rejects(askForHealth(client, 'nobody.Service'), { code: 5 });
  service.child.kill('SIGTERM');
  const { stdout } = await service.ended;
  t.ok(stdout.indexOf('grpc.listening') < stdout.indexOf('service.listening'));
});

t.test('is not healthy before it can record what it answers', async (t) => {
  const redis = await startRedisServer(t);
  redis.pause();
  const env = { REDIS_URL: redis.url, DECISION_LOG: 'redis', DECISION_LOG_DELIVERY: 'strict' };
  const { port } = await startGrpc(t, env);
  const watched: string[] = [];
  watchHealth(createPlainClient(t, port), watched);
  await until('it says so', () => watched.length > 0);
  redis.resume();
  await until('it is healthy', () => watched.length > 1);
  t.same(watched, ['NOT_SERVING', 'SERVING']);
});

t.test('lists every service by reflection', async (t) => {
  const { port } = await startGrpc(t);
  const { list_services_response: listed } = await reflect(createPlainClient(t, port), { list_services: '' });
  t.same(listed?.service.map(({ name }) => name).toSorted(), [
    SERVICE,
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ]);
});

t.test('describes every message and map as protoc does', async (t) => {
  const { port } = await startGrpc(t);
  const client = createPlainClient(t, port);
  const entry = {
    number: 3,
    label: 3,
    type: 11,
    typeName: '.envoy.service.auth.v3.AttributeContext.HttpRequest.HeadersEntry',
  };
  const symbol = 'envoy.service.auth.v3.AttributeContext.HttpRequest';
  const file = await describe(client, { file_containing_symbol: symbol });
  const context = file.messageType?.find(({ name }) => name === 'AttributeContext');
  const request = context?.nestedType?.find(({ name }) => name === 'HttpRequest');
  t.match(
    request?.field?.find(({ name }) => name === 'headers'),
    entry,
  );
  t.match(request?.nestedType, [
    { name: 'HeadersEntry', options: { mapEntry: true }, field: [{ number: 1 }, { number: 2 }] },
  ]);
  t.ok(context?.nestedType?.some(({ name }) => name === 'ContextExtensionsEntry'));
  t.same(await describe(client, { file_by_filename: file.name ?? '' }), file);
  t.same(await describe(client, { file_containing_symbol: `${SERVICE}.Check` }), file);
  const health = await describe(client, { file_containing_symbol: 'grpc.health.v1.Health' });
  t.same(
    health.service?.[0]?.method?.map(({ name }) => name),
    ['Check', 'Watch', 'List'],
  );
  const unknown = await reflect(client, { file_containing_symbol: 'envoy.Nobody' });
  t.equal(unknown.error_response?.error_code, 5);
});

t.test('on SIGTERM finishes every call in flight, tells health checks, and exits 0', async (t) => {
  const { port, service } = await startGrpc(t, patienceOf(5_000));
  const envoy = createEnvoyClient(t, port);
  const watched: string[] = [];
  watchHealth(createPlainClient(t, port), watched);
  const ask = (place: number) =>
    envoy.check({
      headers: { 'x-telemetry-id': `fault-slow-400-${place}`, 'x-device-id': `fault-slow-400-${place}` },
      metadata: { 'x-riskgate-key': SERVICE_KEY },
    });
  t.equal((await ask(0)).error, null);
  const calls = Array.from({ length: 50 }, (_, place) => ask(place + 1));
  while ((emulators.callCounts()['prefactor'] ?? 0) < 51)
    await new Promise((resolve) => setTimeout(resolve, 5));
  service.child.kill('SIGTERM');
  const replies = await Promise.all(calls);
  t.same(
    replies.filter(({ error }) => error !== null).map(({ error }) => error?.message),
    [],
  );
  t.equal(replies.filter(({ status }) => status === 0).length, 50);
  const { code, signal, stderr } = await service.ended;
  t.strictSame({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  t.match(watched, ['SERVING', 'NOT_SERVING']);
});

t.test('says in one line that the gRPC port is taken', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';
  const env = { ...createServiceEnvironment(t, upstream), GRPC_PORT: port };
  const { code, stderr } = await runProgram(t, [process.execPath, 'src/main.ts'], { env });
  t.equal(code, 1);
  t.match(stderr, new RegExp(`^riskgate does not start; [^\\n]*127\\.0\\.0\\.1:${port} cannot[^\\n]*\\n$`));
});

function createPlainClient(t: Test, port: number): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => client.close());
  return client;
}

function askForHealth(client: Client, service: string): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = healthService['Check'] ?? fail();
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, response) => {
    if (error === null) resolve(response);
    else reject(error);
  });
  return promise;
}

function watchHealth(client: Client, seen: string[]): void {
  const { path, requestSerialize, responseDeserialize } = healthService['Watch'] ?? fail();
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize as (bytes: Buffer) => { readonly status: string },
    { service: SERVICE },
  );
  stream.on('data', ({ status }: { readonly status: string }) => seen.push(status));
  stream.on('error', () => {});
}

interface Reflected {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number };
}

/** Asks one question. */
function reflect(client: Client, question: Readonly<Record<string, string>>): Promise<Reflected> {
  const reflection = loadSync(REFLECTION_PROTO, { keepCase: true })['grpc.reflection.v1.ServerReflection'];
  if (reflection === undefined || 'format' in reflection) fail();
  const { path, requestSerialize, responseDeserialize } = reflection['ServerReflectionInfo'] ?? fail();
  const { promise, resolve, reject } = Promise.withResolvers<Reflected>();
  const stream = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize as (bytes: Buffer) => Reflected,
  );
  stream.on('data', (answer: Reflected) => {
    resolve(answer);
    stream.end();
  });
  stream.on('error', reject);
  stream.write(question);
  return promise;
}

async function describe(client: Client, question: Readonly<Record<string, string>>) {
  const { file_descriptor_response: found } = await reflect(client, question);
  const [bytes] = found?.file_descriptor_proto ?? [];
  if (bytes === undefined) throw new Error('nothing is described');
  const { FileDescriptorProto } = descriptor;
  return FileDescriptorProto.toObject(FileDescriptorProto.decode(bytes)) as IFileDescriptorProto;
}

function fail(): never {
  throw new Error('the definition lacks a method');
}
