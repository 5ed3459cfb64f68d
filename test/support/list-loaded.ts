/**
 * A program: composes the service that its environment configures, and prints as JSON which modules that took:
 * paths of ours from `src/` on, of packages from their names on, and Node's own as Node calls them.
 */
import { registerHooks } from 'node:module';

const loaded = new Set<string>();
registerHooks({
  load: (url, context, next) => {
    loaded.add(url.replace(/^file:.*\/node_modules\//, '').replace(/^file:.*\/(?=src\/)/, ''));
    return next(url, context);
  },
});

const { createApp } = await import('../../src/app/app.ts');
const { readConfiguration } = await import('../../src/app/read-configuration.ts');
const { createLogger } = await import('../../src/platform/logger.ts');
const { PROVIDERS: providers } = await import('../../src/providers/registry.ts');
const { SINKS: sinks } = await import('../../src/stores/decision-log/registry.ts');

const read = readConfiguration(process.env, { providers, sinks });
if (!read.ok) throw new Error(read.mistakes.join('\n'));
const { logger } = createLogger('silent');
const app = await createApp({ config: read.value, providers, sinks, logger, version: 'test' });
await app.server.ready();
// Node has it, and its types do not.
const { moduleLoadList } = process as unknown as { readonly moduleLoadList: readonly string[] };
process.stdout.write(JSON.stringify([...loaded, ...moduleLoadList]));
await app.close();
process.exit();
