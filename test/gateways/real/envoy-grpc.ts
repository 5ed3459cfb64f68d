import { testEnvoy } from './envoy-program.ts';

await testEnvoy('envoy-grpc', 'grpc');
