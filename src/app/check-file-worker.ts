import { parentPort, workerData } from 'node:worker_threads';
import { PROVIDERS } from '../providers/registry.ts';
import { checkFile, type FileQuestion } from './check-file.ts';

/** What the worker is asked: a file, and the ids of the providers that policies may read, in their order. */
export interface WorkerFileQuestion extends FileQuestion {
  readonly providerIds: readonly string[];
}

// What file-checker.ts has sent; Node has no type for it.
const question = workerData as WorkerFileQuestion;
const providers = question.providerIds.flatMap((id) => PROVIDERS.filter((provider) => provider.id === id));
parentPort?.postMessage(checkFile(question, providers));
