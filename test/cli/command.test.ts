import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { findFreePort, ROOT, runProgram, startProgram } from '../support/start-program.ts';
import { createServiceEnvironment } from '../support/start-service.ts';

const BIN = join(ROOT, 'bin/riskgate.js');
const OLD = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } })`;

t.test('runs by its name, from any directory', async (t) => {
  const ran = await runProgram(t, [BIN, '--version'], { cwd: '/' });
  t.match(ran, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' });
  t.match(await runProgram(t, [BIN, 'nothing'], { cwd: '/' }), { code: 2, stdout: '' });
});

t.test('finds the Node of the checkout where an older one starts it, or says what is missing', async (t) => {
  const command: [string, ...string[]] = [process.execPath, '--import', OLD, BIN, 'sreve', '--json'];
  const ran = await runProgram(t, command, { cwd: '/' });
  const installed = join(ROOT, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(installed)) t.match(ran, { code: 2, stdout: /"usage"/, stderr: '' });
  else t.match(ran, { code: 3, stdout: '', stderr: /needs Node 24\.16 or newer/ });
});

t.test('is quiet where its reader stops', async (t) => {
  const shell = `"${process.execPath}" "${BIN}" config table | head -n 1`;
  t.match(await runProgram(t, ['sh', '-c', shell]), { code: 0, stdout: /^\w+(=\S*)?\n$/, stderr: '' });
});

t.test('serves, and ends with the service', async (t) => {
  const { app } = createEmulatorServer({ providers: PROVIDERS });
  t.teardown(() => app.close());
  const env = createServiceEnvironment(t, await app.listen({ host: '127.0.0.1', port: 0 }));
  const service = await startProgram(t, [process.execPath, BIN, 'serve'], { env });
  const [, port] = await service.until(/"event":"service\.listening".*?"port":(\d+)/);
  t.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0 });
  const { PATH = '' } = process.env;
  t.match(await runProgram(t, [process.execPath, BIN, 'serve'], { env: { PATH } }), {
    code: 1,
    stderr: /does not start/,
  });
});

t.test('runs the demo with its options', async (t) => {
  const env = { PORT: String(await findFreePort()) };
  const demo = await startProgram(t, [process.execPath, BIN, 'demo', '--wait-seconds', '120'], { env });
  await demo.until(/riskgate decides at/);
  demo.child.kill('SIGINT');
  t.match(await demo.ended, { code: 0 });
});

t.test('runs the emulators where it is told to', async (t) => {
  const ran = await startProgram(t, [process.execPath, BIN, 'emulators', '--port', '0']);
  const [, origin] = await ran.until(/(http:\/\/127\.0\.0\.1:\d+) .*STYTCH_/);
  t.ok((await fetch(`${origin}/`)).status < 500);
  ran.child.kill('SIGTERM');
  t.match(await ran.ended, { code: 0 });
});
