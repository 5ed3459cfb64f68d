import { testEnvoy } from './envoy-program.ts';

await testEnvoy('envoy', 'http');
