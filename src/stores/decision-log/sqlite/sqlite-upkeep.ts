import type { Upkeep } from '../definition.ts';
import { toHistoryDirectory } from './history-directory.ts';
import { openSqliteReader } from './open-reader.ts';
import { readPolicyText } from './policy-file.ts';
import { scanHistory, segmentsToScan } from './scan-history.ts';
import { compactHistory, verifyHistory } from './upkeep.ts';

interface Values {
  readonly dataDirectory: string;
}

/** What commands and backtests do with the files of a history. */
export const SQLITE_UPKEEP: Upkeep<Values> = {
  openReader: async ({ dataDirectory }) => openSqliteReader(dataDirectory),
  verify: ({ dataDirectory }, isQuick) => verifyHistory(dataDirectory, isQuick),
  compact: ({ dataDirectory }) => compactHistory(dataDirectory),
  classes: {
    parts: ({ dataDirectory }, filter) => segmentsToScan(dataDirectory, filter),
    scan: ({ dataDirectory }, parts, question, tally) => scanHistory(dataDirectory, parts, question, tally),
    policyText: ({ dataDirectory }, hash) => readPolicyText(toHistoryDirectory(dataDirectory), hash),
  },
};
