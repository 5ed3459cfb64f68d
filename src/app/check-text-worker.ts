import { parentPort, workerData } from 'node:worker_threads';
import { PROVIDERS } from '../providers/registry.ts';
import { checkPolicyText } from './check-file.ts';

/** What the worker is asked: a text, and the ids of the providers that policies may read, in their order. */
export interface WorkerTextQuestion {
  readonly text: string;
  readonly providerIds: readonly string[];
}

// What registered-candidates.ts has sent; Node has no type for it.
const { text, providerIds } = workerData as WorkerTextQuestion;
const providers = providerIds.flatMap((id) => PROVIDERS.filter((provider) => provider.id === id));
parentPort?.postMessage(checkPolicyText(text, providers));
