import type { DecisionLogReader } from './decision-log.ts';
import type { RunPiece } from './run-piece.ts';

/**
 * Reads the log in pieces that `run` schedules, so that reading takes a bounded share of the process. Labels
 * are written at once: there are few of them, and a caller waits. Requests for the version that arrive before
 * its read begins share it.
 */
export function paceReads(reader: DecisionLogReader, run: RunPiece): DecisionLogReader {
  let nextVersion: Promise<string> | null = null;
  return {
    stepsTogether: reader.stepsTogether,
    minutesKeptMs: reader.minutesKeptMs,
    query: (filter, options) => run(() => reader.query(filter, options)),
    find: (id) => run(() => reader.find(id)),
    labelsOf: (entries) => run(() => reader.labelsOf(entries)),
    readAfter: (position, limit) => run(() => reader.readAfter(position, limit)),
    newest: () => run(() => reader.newest()),
    counts: (options) => run(() => reader.counts(options)),
    countVersions: (options) => run(() => reader.countVersions(options)),
    group: (question) => run(() => reader.group(question)),
    distinct: (filter) => run(() => reader.distinct(filter)),
    subject: (part, hash) => run(() => reader.subject(part, hash)),
    version: () => {
      nextVersion ??= run(() => {
        nextVersion = null;
        return reader.version();
      });
      return nextVersion;
    },
    label: (id, label, isTimeGiven, seen) => reader.label(id, label, isTimeGiven, seen),
    onChange: (listener) => reader.onChange(listener),
  };
}
