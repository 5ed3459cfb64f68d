import { CommandFailure, EXIT_CODES } from '../command.ts';

/** What a file of decisions has to be. */
export const EXPORT_FORM =
  'NDJSON, one record on each line, as `riskgate history export`, `GET /v1/decisions/export` and the sink `file` write it, plain or compressed by gzip or zstd. CSV and Parquet are not read back';

/** Says of a file with lines, none of which is a record, that it is something else. No part of a line is in it. */
export function noExport(path: string, problem: string): CommandFailure {
  return new CommandFailure(
    'no_export',
    `${path} is no export of decisions: no line is a record (the first bad one ${problem}). An export is ${EXPORT_FORM}.`,
    EXIT_CODES.usage,
  );
}
