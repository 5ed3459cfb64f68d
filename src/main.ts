import { readFileSync } from 'node:fs';
import { createApp } from './app/app.ts';
import { readConfiguration } from './app/read-configuration.ts';
import type { Config } from './config/config.ts';
import { findMisspeltVariables } from './config/misspelt-variables.ts';
import { createLogger } from './platform/logger.ts';
import { stopGracefully } from './platform/stop-process.ts';
import { PROVIDERS } from './providers/registry.ts';
import { SINKS } from './stores/decision-log/registry.ts';

/**
 * What is in flight (3.5 s), the decision log (2 s) and the last lines (1 s) have their time in it, one after
 * the other. With the default delay before it, and the lines of a close that took too long after it, shorter
 * than the 10 s after which an orchestrator kills.
 */
const CLOSE_MS = 6_800;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const PLUG_INS = { providers: PROVIDERS, sinks: SINKS };

const loaded = readConfiguration(process.env, PLUG_INS);
if (loaded.ok) await run(loaded.value);
else {
  process.stderr.write('riskgate does not start; the configuration has these mistakes:\n');
  for (const mistake of loaded.mistakes) process.stderr.write(`  - ${mistake}\n`);
  process.exitCode = 1;
}

async function run(config: Config): Promise<void> {
  const { logger, write, close: closeLogger } = createLogger(config.logLevel);
  for (const misspelt of findMisspeltVariables(process.env, PLUG_INS))
    logger.warn({ event: 'config.misspelt', ...misspelt }, 'a variable that nothing reads');
  for (const ignored of config.ignored)
    logger.warn({ event: 'config.ignored', ...ignored }, 'a variable that is not obeyed');
  const app = await createApp({ config, ...PLUG_INS, logger, version, write }).catch((error: unknown) =>
    refuseStart(toReason(error), closeLogger),
  );
  const { drainDelayMs } = config;
  stopGracefully({
    drainDelayMs,
    closeMs: CLOSE_MS,
    onSignal: (signal) => {
      logger.info({ event: 'service.stopping', signal, drain_delay_ms: drainDelayMs });
      app.drain();
    },
    onError: (err) => logger.fatal({ event: 'service.crashed', err }),
    close: async () => {
      app.drain();
      await app.close();
      logger.info({ event: 'service.stopped' });
      await closeLogger();
    },
    abandon: async () => {
      app.abandon();
      await closeLogger();
    },
    exit: (code) => process.exit(code),
  });
  const listen = async <Bound>(port: number, bind: () => Promise<Bound>): Promise<Bound> => {
    try {
      return await bind();
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
      return refuseStart(`${config.host}:${port} cannot be listened on (${String(code)})`, closeLogger);
    }
  };
  const { grpc, server } = app;
  const { grpcPort, host, port } = config;
  await app.warmUp();
  // First, so that who finds the service ready finds all of it.
  if (grpc !== null && grpcPort !== null) {
    const bound = await listen(grpcPort, () => grpc.listen(host, grpcPort));
    logger.info({ event: 'grpc.listening', port: bound });
  }
  await listen(port, () => server.listen({ host, port }));
  const [address] = server.addresses();
  logger.info({ event: 'service.listening', address, version });
}

/** A file that is damaged or that another process has is told by a sentence. Throws what is no such failure. */
function toReason(error: unknown): string {
  if (error instanceof Error && error.name === 'Error') return error.message;
  throw error;
}

async function refuseStart(reason: string, closeLogger: () => Promise<void>): Promise<never> {
  process.stderr.write(`riskgate does not start; ${reason}\n`);
  await closeLogger();
  process.exit(1);
}
