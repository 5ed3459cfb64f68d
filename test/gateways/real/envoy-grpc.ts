import { testEnvoy } from './test-envoy.ts';

await testEnvoy('envoy-grpc', 'grpc');
