import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { findFreePort, startProgram } from '../../support/start-program.ts';
import { createDirectory } from '../../support/test-app.ts';
import { startApplication, valuesOf } from './application.ts';
import { browse, GOOD_IDS } from './browse.ts';
import { findEnvoy } from './install-envoy.ts';
import { writeRecipe } from './recipe.ts';
import { testGateway, untilItListens } from './test-gateway.ts';

/** Runs the recipe of that name in Envoy. */
export async function testEnvoy(name: string, protocol: 'http' | 'grpc'): Promise<void> {
  const envoy = findEnvoy();
  if (envoy === null) throw new Error('Envoy is not installed');
  await testGateway({
    name,
    recipes: [`${name}/envoy.yaml`],
    opensWebSockets: true,
    caches: false,
    protocol,
    command: ([recipe = '']) => toCommand(envoy, recipe),
  });
  await testFailOpen(name, envoy);
}

function toCommand(envoy: string, recipe: string): [string, ...string[]] {
  const options = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'error'];
  return [envoy, '--config-path', recipe, ...options];
}

/** With the one change that an operator may make against our advice. */
async function testFailOpen(name: string, envoy: string): Promise<void> {
  await t.test('where it lets in without riskgate, it says nothing in our name', async (t) => {
    const directory = createDirectory(t);
    const application = await startApplication(t);
    const gatewayPort = await findFreePort();
    const recipe = writeRecipe(`${name}/envoy.yaml`, {
      riskgatePort: await findFreePort(),
      applicationPort: application.port,
      gatewayPort,
      key: 'none',
      directory,
    });
    const text = readFileSync(recipe, 'utf8');
    writeFileSync(recipe, text.replace('failure_mode_allow: false', 'failure_mode_allow: true'));
    await untilItListens(await startProgram(t, toCommand(envoy, recipe)), gatewayPort);
    const headers = [...GOOD_IDS, 'X-Risk-Decision', 'ALLOW', 'X.Risk.Decision', 'ALLOW'];
    const { status } = await browse(gatewayPort, { headers });
    const [seen] = application.seen;
    t.equal(status, 200);
    t.strictSame(seen && valuesOf(seen, 'x-risk-decision'), [], 'an application that wants ALLOW refuses');
  });
}
