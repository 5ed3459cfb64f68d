import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testGateway } from './test-gateway.ts';

await testGateway({
  name: 'nginx',
  recipes: ['nginx/riskgate.conf'],
  opensWebSockets: false,
  caches: true,
  command: ([recipe], { directory }) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${directory}/${name};`,
    );
    const main = join(directory, 'nginx.conf');
    writeFileSync(
      main,
      `worker_processes 1;\npid ${directory}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary.join('\n')}\ninclude ${recipe};\n}\n`,
    );
    return ['nginx', '-p', directory, '-e', 'stderr', '-c', main, '-g', 'daemon off;'];
  },
});
