import type { CompiledPolicy } from '../policy/compile.ts';
import { toRunContext } from '../policy/run-context.ts';
import { judgeWitness, toEngineInput, type Witness } from '../policy-analysis/witness.ts';

/** What a part of a condition comes to. */
export type PartResult = 'true' | 'false' | 'unknown';

const OF_VALUES: ReadonlyMap<unknown, PartResult> = new Map([
  [true, 'true'],
  [false, 'false'],
]);

/**
 * What the rules of a policy, which are parts of conditions, come to as such. A part that reads how a provider
 * ended has its value also where a rule would be unknown, since another end could make it true.
 */
export function partResults(policy: CompiledPolicy, witness: Witness): readonly PartResult[] {
  const context = toRunContext(policy, ...toEngineInput(policy, witness));
  return judgeWitness(policy, witness).trace.map(({ result }, place): PartResult => {
    if (result === 'true' || result === 'false') return result;
    try {
      return OF_VALUES.get(policy.rules[place]?.run(context)) ?? 'unknown';
    } catch {
      // An EvaluationError: it reads something absent.
      return 'unknown';
    }
  });
}
