import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { findFreePort, startProgram } from '../../support/start-program.ts';
import { writeRecipe } from './recipe.ts';
import { startStubServer } from './stub-server.ts';
import { testGateway, untilItListens } from './test-gateway.ts';
import { allow, greet, runWorkerWire } from './worker-wire.ts';
import { serveWorker } from './workerd.ts';

const RECIPES = ['cloudflare-worker/worker.js', 'cloudflare-worker/wrangler.jsonc'];

await testGateway({
  name: 'cloudflare-worker',
  recipes: RECIPES,
  opensWebSockets: true,
  caches: false,
  command: ([, wrangler = ''], around) => serveWorker(wrangler, around),
});

await t.test('on the wire', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-worker-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const riskgate = await startStubServer(t, allow);
  const origin = await startStubServer(t, greet);
  const key = 'a key';
  const port = await findFreePort();
  const barePort = await findFreePort();
  const around = {
    riskgatePort: riskgate.port,
    applicationPort: origin.port,
    gatewayPort: port,
    barePort,
    key,
    directory,
  };
  const [, wrangler = ''] = RECIPES.map((path) => writeRecipe(path, around));
  await untilItListens(await startProgram(t, serveWorker(wrangler, around)), port);
  await runWorkerWire(t, { port, barePort, key, riskgate, origin });
});
