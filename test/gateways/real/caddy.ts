import { testGateway } from './test-gateway.ts';

await testGateway({
  name: 'caddy',
  recipes: ['caddy/Caddyfile'],
  opensWebSockets: true,
  caches: false,
  command: ([recipe = '']) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', recipe],
});
