import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testGateway } from './test-gateway.ts';

const MODULES = ['mpm_event', 'authz_core', 'lua', 'proxy', 'proxy_http', 'headers'];

await testGateway({
  name: 'apache',
  recipes: ['apache/riskgate.conf', 'apache/riskgate.lua'],
  opensWebSockets: false,
  caches: false,
  command: ([recipe = ''], { directory }) => {
    const main = join(directory, 'apache2.conf');
    const modules = MODULES.map(
      (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
    );
    const own = [
      `ServerRoot ${directory}`,
      `PidFile ${directory}/apache2.pid`,
      `DefaultRuntimeDir ${directory}`,
      'ServerName shop.example',
      `ErrorLog ${directory}/error.log`,
      'User www-data',
      'Group www-data',
    ];
    writeFileSync(main, `${[...own, ...modules, `Include ${recipe}`].join('\n')}\n`);
    return ['apache2', '-DFOREGROUND', '-f', main];
  },
});
