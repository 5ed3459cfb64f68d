import { testGateway } from './test-gateway.ts';

await testGateway({
  name: 'haproxy',
  recipes: ['haproxy/haproxy.cfg', 'haproxy/riskgate.lua'],
  opensWebSockets: true,
  caches: false,
  command: ([recipe = '']) => ['haproxy', '-db', '-f', recipe],
});
