import { parentPort, workerData } from 'node:worker_threads';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { diffPolicies } from '../domain/policy-analysis/diff-policies.ts';
import type { PolicyDifference } from '../http/schemas/policy-diff.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { compilePolicyText } from './check-file.ts';
import { toSpaceProviders } from './space-providers.ts';

/** What the worker is asked: two texts, and the ids of the providers that policies may read, in their order. */
export interface WorkerDiffQuestion {
  readonly texts: readonly [before: string, after: string];
  readonly providerIds: readonly string[];
}

/** Null where this version refuses one of them. */
export type WorkerDiffAnswer = PolicyDifference | null;

/** Classes that are told: the largest. */
const CLASSES_MAX = 50;

// What diff-policies.ts has sent; Node has no type for it.
const { texts, providerIds } = workerData as WorkerDiffQuestion;
const providers = providerIds.flatMap((id) => PROVIDERS.filter((provider) => provider.id === id));

function compile(text: string): CompiledPolicy | null {
  const compiled = compilePolicyText(text, providers, null);
  return compiled.ok ? compiled.value : null;
}

function diff(): WorkerDiffAnswer {
  const [before, after] = [compile(texts[0]), compile(texts[1])];
  if (before === null || after === null) return null;
  const { classes, table, limits } = diffPolicies(before, after, toSpaceProviders(providers));
  return {
    table: classes && table,
    classes:
      classes?.slice(0, CLASSES_MAX).map(({ from, to, fromRule, toRule, combinations, witness }) => ({
        from,
        to,
        from_rule: fromRule,
        to_rule: toRule,
        combinations,
        certain: witness !== undefined,
      })) ?? null,
    classes_total: classes?.length ?? null,
    limits: [...limits],
  };
}

parentPort?.postMessage(diff());
