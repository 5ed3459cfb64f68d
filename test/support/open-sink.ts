import type { Test } from 'tap';
import { systemClock } from '../../src/platform/clock.ts';
import { createLogger } from '../../src/platform/logger.ts';
import type { OpenSink, SinkContext, SinkDefinition } from '../../src/stores/decision-log/definition.ts';
import { until } from './test-app.ts';

const { logger } = createLogger('silent', { write: () => {} });

/** Longer than a busy machine takes. */
const PATIENT_MS = 60_000;

/** Opens a sink as the service does, with durable appends. It closes with the test. */
export async function openSink(
  t: Pick<Test, 'teardown'>,
  definition: SinkDefinition,
  settings: Readonly<Record<string, unknown>>,
  context: Partial<SinkContext> = {},
): Promise<OpenSink> {
  const open = await definition.open(settings, {
    isStrict: true,
    timeoutMs: PATIENT_MS,
    countsKeptMs: 30 * 86_400_000,
    removesOld: true,
    clock: systemClock,
    newId: () => 'writer-1',
    logger,
    openRedis: () => {
      throw new TypeError('the sink does not say that it needs Redis');
    },
    write: () => {},
    ...context,
  });
  t.teardown(() => open.close());
  await until('the sink is connected', () => (open.health()?.state ?? 'up') === 'up');
  return open;
}
