import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PolicyTexts } from '../../application/decision-log/policy-texts.ts';
import { readAllPages } from '../../application/decision-log/read-pages.ts';
import { idOf } from '../../domain/decision-log/decision-record.ts';
import { readExportLine } from '../../domain/decision-log/export-line.ts';
import { labelInForce } from '../../domain/decision-log/outcome-label.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import { matchesFilter, type RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { OpenReader } from '../../stores/decision-log/definition.ts';
import type { CliContext } from '../command.ts';
import { findEngineOf } from './engine-option.ts';
import { noExport } from './no-export.ts';
import { openLogReader } from './open-log-reader.ts';
import { readFileLines } from './read-lines.ts';

/** Kept decisions that are open for reading. */
interface OpenHistory {
  /** Decisions that match, with their labels, a page at a time: of a log the newest first, of a file in its order. */
  readonly pages: AsyncIterable<readonly LabelledRecord[]>;
  /** Null where it keeps no texts of policies. */
  readonly policies: Pick<PolicyTexts, 'find'> | null;
  /** Lines of a file that were no records, so far. */
  badLines(): number;
  close(): Promise<void>;
}

const PAGE = 250;

/** Opens what the options name. Rejects where it is not there or cannot be read. */
export async function openHistory(
  options: Readonly<Record<string, string | boolean | undefined>>,
  filter: RecordFilter,
  context: CliContext,
): Promise<OpenHistory> {
  const { file } = options;
  if (typeof file === 'string') return openFile(file, filter);
  const engine = await findEngineOf(context, options['engine']);
  const path = engine.definition.lineFile?.(engine.settings);
  if (path !== undefined) return openFile(path, filter);
  const { reader, policies, close } = await openLogReader(engine);
  return { pages: readLog(reader, filter), policies, badLines: () => 0, close };
}

async function* readLog(
  reader: OpenReader['reader'],
  filter: RecordFilter,
): AsyncGenerator<readonly LabelledRecord[]> {
  for await (const entries of readAllPages(reader, filter, PAGE)) {
    if (entries.length > 0) {
      const labels = await reader.labelsOf(entries);
      yield entries.map(({ record }) => ({ record, labels: labels.get(idOf(record)) ?? [] }));
    }
    // A log that answers in place leaves no turn to an interruption.
    await nextTurn();
  }
}

function openFile(path: string, filter: RecordFilter): OpenHistory {
  let bad = 0;
  let firstProblem: string | null = null;
  let isExport = false;
  const read = async function* (): AsyncGenerator<readonly LabelledRecord[]> {
    let page: LabelledRecord[] = [];
    for await (const { text } of readFileLines(path)) {
      const line = readExportLine(text);
      if (line.ok) isExport = true;
      else {
        bad += 1;
        firstProblem ??= line.problem;
      }
      if (line.ok && matchesFilter(line.value.record, filter, labelInForce(line.value.labels)))
        page.push(line.value);
      if (page.length < PAGE) continue;
      yield page;
      page = [];
    }
    // Of a file of something else nothing can be said, least of all that it has no decision.
    if (firstProblem !== null && !isExport) throw noExport(path, firstProblem);
    yield page;
  };
  return { pages: read(), policies: null, badLines: () => bad, close: async () => {} };
}
