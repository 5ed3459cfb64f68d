import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import type { DecisionLogReader } from '../src/application/decision-log/decision-log.ts';
import { partsAskedAbout } from '../src/domain/subject.ts';
import { createGatewayDoor } from '../src/gateways/routes.ts';
import { createServer } from '../src/http/server.ts';
import { PROVIDERS } from '../src/providers/registry.ts';

/** The text of openapi.json as the service of this version serves it, indented, with a newline at its end. Listens on nothing and asks nobody. */
export async function createOpenApiDocument(): Promise<string> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const ids = PROVIDERS.map(({ id }) => id);
  const server = await createServer({
    version,
    logger: pino({ enabled: false }),
    newId: unused,
    keyring: unused,
    clock: { nowMs: unused, monotonicMs: unused },
    wrongKeysMax: 1,
    holdToLimits: unused,
    door: createGatewayDoor({
      dialects: new Map(),
      check: unused,
      noteRefusal: unused,
      isDraining: unused,
      headerBytesMax: 65_536,
    }),
    keepAliveMs: 72_000,
    connectionsMax: 100,
    answerOnce: unused,
    overload: unused,
    isStrained: unused,
    traffic: { onRefused: unused, onIdempotentRequest: unused },
    policy: unused,
    reads: {
      log: UNREAD,
      countSteps: unused,
      bulk: UNREAD,
      hashes: [],
      streams: { size: 0, open: unused, drain: unused },
      policies: { current: unused, find: unused },
      telemetryProviders: [],
    },
    circuitOf: unused,
    slots: [],
    decide: unused,
    observer: { onDecision: unused, onRefusal: unused },
    metrics: { contentType: 'text/plain', text: unused },
    callerMetrics: { contentType: 'text/plain', text: unused },
    purge: { parts: partsAskedAbout(PROVIDERS), purge: unused },
    providers: ids,
    deviceProviders: PROVIDERS.filter(({ subject }) => subject === 'device_id').map(({ id }) => id),
    enabledProviders: ids,
    suspectProviders: unused,
    redisState: unused,
    redisProblem: () => null,
    receivesPurges: unused,
    strictSinks: unused,
    filesDiffering: unused,
    isDraining: unused,
  });
  await server.ready();
  const document = server.swagger();
  await server.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

const UNREAD: DecisionLogReader = {
  query: unused,
  countVersions: unused,
  find: unused,
  labelsOf: unused,
  readAfter: unused,
  newest: unused,
  counts: unused,
  label: unused,
  version: unused,
  onChange: unused,
};

/** Stands for what only a request would use. */
function unused(): never {
  throw new Error('a document is described without a request');
}
