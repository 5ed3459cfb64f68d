import type { Engine } from '../../app/open-engine.ts';
import type { LogPosition } from '../../application/decision-log/decision-log.ts';
import { idOf } from '../../domain/decision-log/decision-record.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import type { OpenReader } from '../../stores/decision-log/definition.ts';
import { askService, toRefusal } from '../ask-service.ts';
import { type CliContext, CommandFailure } from '../command.ts';
import type { CopySource } from './copy-history.ts';
import { findEngineOf } from './engine-option.ts';
import { openLogReader } from './open-log-reader.ts';
import { type NumberedLine, readFileLines, toLines } from './read-lines.ts';
import { spoolRecords } from './spool-records.ts';

/** A source that is open, and what of it does not come. */
interface OpenSource extends CopySource {
  readonly left: readonly { readonly reason: string; readonly count: number }[];
  close(): Promise<void>;
}

const PAGE = 250;

/** Opens what `--from` names. Rejects where it is not there, cannot be read or breaks off. */
export async function openSource(from: string, context: CliContext): Promise<OpenSource> {
  if (/^https?:/i.test(from)) return openLines('the service', downloadLines(from, context.env));
  const engine = await findEngineOf(context, from);
  const path = engine.definition.lineFile?.(engine.settings);
  return path === undefined ? openEngine(engine) : openLines(path, readFileLines(path));
}

async function openLines(name: string, lines: AsyncIterable<NumberedLine>): Promise<OpenSource> {
  const records = await spoolRecords([{ name, lines }]);
  const reasons = records.badLines.map(({ line, problem }) => ({
    reason: `line ${line}: ${problem}`,
    count: 1,
  }));
  const untold = records.badCount - reasons.length;
  return {
    pages: records.pages(),
    policies: null,
    left: untold > 0 ? [...reasons, { reason: 'more bad lines', count: untold }] : reasons,
    close: () => records.close(),
  };
}

async function openEngine(engine: Engine): Promise<OpenSource> {
  const { reader, policies, close } = await openLogReader(engine);
  return { pages: readAll(reader), policies, left: [], close };
}

async function* readAll(reader: OpenReader['reader']): AsyncGenerator<readonly LabelledRecord[]> {
  let position: LogPosition | null = null;
  for (;;) {
    const slice: Awaited<ReturnType<typeof reader.readAfter>> = await reader.readAfter(position, PAGE);
    if (slice.entries.length === 0) return;
    const labels = await reader.labelsOf(slice.entries);
    yield slice.entries.map(({ record }) => ({ record, labels: labels.get(idOf(record)) ?? [] }));
    position = slice.position;
  }
}

/** The lines of a service's export. Rejects where it breaks off. */
async function* downloadLines(url: string, env: CliContext['env']): AsyncGenerator<NumberedLine> {
  const path = '/v1/decisions/export?format=ndjson';
  const response = await askService({ url, path, scope: 'read' }, env);
  const { origin } = new URL(url);
  if (response.status !== 200 || response.body === null) throw await toRefusal(response);
  try {
    yield* toLines(response.body);
  } catch {
    throw new CommandFailure('broken_off', `${origin} broke off: nothing was copied`);
  }
}
