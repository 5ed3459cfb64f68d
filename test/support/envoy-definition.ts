import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** Envoy's own definitions, as the gRPC project ships them. */
const DEPS = new URL('../../node_modules/@grpc/grpc-js-xds/deps/', import.meta.url);

const loaded = loadPackageDefinition(
  loadSync('envoy/service/auth/v3/external_auth.proto', {
    keepCase: true,
    enums: String,
    includeDirs: ['envoy-api', 'xds', 'protoc-gen-validate', 'googleapis'].map((name) =>
      fileURLToPath(new URL(name, DEPS)),
    ),
  }),
) as unknown as { envoy: { service: { auth: { v3: { Authorization: ServiceClientConstructor } } } } };

/** The method `Check`, as Envoy defines it. */
export const ENVOY_CHECK = loaded.envoy.service.auth.v3.Authorization.service['Check'] ?? fail();

function fail(): never {
  throw new Error('the definition has no Check');
}
