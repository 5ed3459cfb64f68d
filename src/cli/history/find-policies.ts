import { compilePolicyText } from '../../app/check-file.ts';
import { createPolicyOf, type PolicyOf } from '../../application/backtest/policy-of.ts';
import type { PolicyTexts } from '../../application/decision-log/policy-texts.ts';
import { PROVIDERS } from '../../providers/registry.ts';
import { requirePolicy } from '../policy/require-policy.ts';

/** Finds the policies of kept decisions. Throws a `CommandFailure` where a given file is no policy. */
export function findPolicies(paths: readonly string[], texts: Pick<PolicyTexts, 'find'> | null): PolicyOf {
  return createPolicyOf({
    given: paths.map(requirePolicy),
    texts,
    compile: (text) => compilePolicyText(text, PROVIDERS, null),
  });
}
