import { parentPort, workerData } from 'node:worker_threads';
import type { PolicyAnalysis } from '../application/policy-analysis/analyses.ts';
import { analyzePolicy } from '../domain/policy-analysis/analyze-policy.ts';
import { checkNever } from '../domain/policy-analysis/check-never.ts';
import { compileLinearPattern } from '../platform/linear-pattern.ts';
import { PROVIDERS } from '../providers/registry.ts';
import { compilePolicyText } from './check-file.ts';
import { toSpaceProviders } from './space-providers.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

/** What the worker is asked: the text of a policy that was checked. */
export interface WorkerAnalysis {
  readonly text: string;
}

// What analyses.ts has sent; Node has no type for it.
const { text } = workerData as WorkerAnalysis;
parentPort?.postMessage(analyze(text));

function analyze(of: string): PolicyAnalysis {
  const compiled = compilePolicyText(of, PROVIDERS, null);
  if (!compiled.ok) throw new TypeError('this version refuses the policy');
  const providers = toSpaceProviders(PROVIDERS);
  const { findings, verdicts, limits, combinations, isComplete } = analyzePolicy(compiled.value, providers);
  const never = checkNever(compiled.value, providers, {
    compilePattern: compileLinearPattern,
    countriesOfTimeZone,
  });
  return {
    // Witnesses are for the command, which runs them.
    findings: [...never.findings, ...findings].map(({ kind, severity, rule, message, isUnproven }) => ({
      kind,
      severity,
      message,
      ...(rule !== undefined && { rule }),
      ...(isUnproven !== undefined && { isUnproven }),
    })),
    verdicts: verdicts.map(({ verdict, combinations: count }) => ({ verdict, combinations: count })),
    limits,
    combinations,
    isComplete,
  };
}
