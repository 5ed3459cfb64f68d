import { parentPort, workerData } from 'node:worker_threads';
import { examineCandidate, runCases } from '../application/promotion/examine-candidate.ts';
import { parseYaml } from '../platform/yaml-document.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { compilePolicyText } from './check-file.ts';
import { toSpaceProviders } from './space-providers.ts';

/** What the worker is asked: a policy and its cases, as texts, and the providers as for a check. */
export interface WorkerExamination {
  readonly text: string;
  readonly tests: string | null;
  /** Null runs the cases alone. */
  readonly waivedRules: readonly string[] | null;
  readonly providerIds: readonly string[];
}

// What examine.ts has sent; Node has no type for it.
const { text, tests, waivedRules, providerIds } = workerData as WorkerExamination;
const providers = providerIds.flatMap((id) => PROVIDERS.filter((provider) => provider.id === id));
const compiled = compilePolicyText(text, providers, null);
if (!compiled.ok) throw new TypeError('a candidate that is no policy');
const options = { tests, providers: toSpaceProviders(providers), parse: parseYaml };
const told =
  waivedRules === null
    ? runCases(compiled.value, options)
    : examineCandidate(compiled.value, { ...options, waivedRules });
parentPort?.postMessage(told);
