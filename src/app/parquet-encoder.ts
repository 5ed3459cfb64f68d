import type { ExportEncoder } from '../http/decision-log/encode-export.ts';
import { createRemoteWorker } from '../platform/remote-worker.ts';
import type { ParquetThread } from './parquet-worker.ts';

/** Several times what 25,000 records need. A bound also keeps garbage from growing. */
const HEAP_MB_MAX = 256;
const WORKER = new URL('./parquet-worker.ts', import.meta.url);

/** Makes one Parquet file of the lines of an export, in a thread of its own. It has to be closed. */
export function createParquetEncoder(): ExportEncoder {
  const worker = createRemoteWorker<ParquetThread>(WORKER, null, { heapMbMax: HEAP_MB_MAX });
  return {
    add: (lines) => worker.call('add', lines),
    finish: () => worker.call('finish'),
    close: () => worker.close(),
  };
}
