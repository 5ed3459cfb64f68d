import { testGateway } from './test-gateway.ts';

await testGateway({
  name: 'varnish',
  recipes: ['varnish/riskgate.vcl'],
  opensWebSockets: false,
  caches: false,
  command: ([recipe = ''], { gatewayPort, directory }) => [
    'varnishd',
    '-F',
    '-a',
    `127.0.0.1:${gatewayPort}`,
    '-f',
    recipe,
    '-n',
    `${directory}/varnish`,
    '-s',
    'malloc,32m',
  ],
});
