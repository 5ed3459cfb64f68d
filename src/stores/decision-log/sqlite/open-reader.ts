import { existsSync } from 'node:fs';
import type { DecisionRecord, LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { RiskgateError } from '../../../domain/errors.ts';
import type { OpenReader } from '../definition.ts';
import { toHistoryDirectory } from './history-directory.ts';
import { HistoryReader, type TextEntry } from './history-reader.ts';
import { readPolicyText } from './policy-file.ts';

/**
 * Opens the history of a directory for reading alone, in this thread, beside a service that writes to it.
 * Throws where there is none.
 */
export function openSqliteReader(dataDirectory: string): OpenReader {
  const directory = toHistoryDirectory(dataDirectory);
  if (!existsSync(directory)) throw new Error(`DATA_DIR ${dataDirectory}: holds no history`);
  const history = new HistoryReader(directory);
  const read = async <Value>(ask: () => Value): Promise<Value> => {
    try {
      return ask();
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : null;
      throw new RiskgateError('store_unavailable', `The history cannot be read: ${String(code ?? error)}.`);
    }
  };
  return {
    reader: {
      query: (filter, options) =>
        read(() => {
          const { entries, next } = history.query(filter, options);
          return { entries: entries.map(toLogEntry), next };
        }),
      find: (id) =>
        read(() => {
          const found = history.find(id);
          // Only decisions are found by their ids.
          return found === null ? null : { ...found, record: JSON.parse(found.text) as DecisionRecord };
        }),
      labelsOf: (entries) =>
        read(() => {
          const labels = history.labelsAt(entries.map(({ position }) => position));
          const pairs = entries.map(
            ({ record }, place) => [idOfDecision(record), labels[place] ?? []] as const,
          );
          return new Map(pairs.filter(([id, given]) => id !== '' && given.length > 0));
        }),
      readAfter: (position, limit) =>
        read(() => {
          const slice = history.readAfter(position, limit);
          return { ...slice, entries: slice.entries.map(toLogEntry) };
        }),
      newest: () => read(() => history.newest()),
    },
    policies: {
      keep: async () => false,
      find: (hash) => read(() => readPolicyText(directory, hash)),
    },
    close: async () => history.close(),
  };
}

function toLogEntry({ position, text }: TextEntry) {
  return { position, record: JSON.parse(text) as LogRecord };
}

function idOfDecision(record: LogRecord): string {
  return record.kind === 'decision' ? record.decision_id : '';
}
