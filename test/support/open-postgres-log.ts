import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { DecisionLogReader, DecisionSink } from '../../src/application/decision-log/decision-log.ts';
import type { SinkContext } from '../../src/stores/decision-log/definition.ts';
import { postgres } from '../../src/stores/decision-log/postgres/index.ts';
import { parseServerUrl } from '../../src/stores/decision-log/postgres/server-address.ts';
import { openSink } from './open-sink.ts';

/** One replica's log on a database. It closes with the test. */
export async function openPostgresLog(
  t: Pick<Test, 'teardown'>,
  url: string,
  context: Partial<SinkContext> = {},
  limits: { readonly retentionMs?: number; readonly bytesMax?: number } = {},
): Promise<{ readonly sink: DecisionSink; readonly reader: DecisionLogReader }> {
  const settings = {
    server: parseServerUrl(url),
    retentionMs: 90 * 86_400_000,
    labelledKeptMs: 365 * 86_400_000,
    bytesMax: 2 ** 30,
    ...limits,
  };
  const { sink, reader } = await openSink(t, postgres, settings, { newId: randomUUID, ...context });
  if (reader === null) throw new Error('a history can be read');
  return { sink, reader };
}
