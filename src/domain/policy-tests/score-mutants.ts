import type { CompiledPolicy } from '../policy/compile.ts';
import type { Judgement } from '../policy/judgement.ts';
import type { SpaceProvider } from '../policy-analysis/build-space.ts';
import { judgeWitness } from '../policy-analysis/witness.ts';
import { type Bases, compareMutant, type Telling } from './compare-mutant.ts';
import { compileMutant } from './compile-mutant.ts';
import type { TestCompileOptions } from './condition-policies.ts';
import { compare } from './judge-cases.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import type { PolicyCase } from './read-cases.ts';

/** A mutant that no case tells from the policy. */
interface Survivor extends Omit<Mutant, 'document'> {
  /** Evidence that would; null where it is not known whether there is any. */
  readonly told: Telling | null;
}

/** How well the cases of a policy would notice that it was changed. */
export interface MutationScore {
  readonly killed: number;
  readonly survivors: readonly Survivor[];
  /** How many are the policy in other words, as was proven: they count for nothing. */
  readonly equal: number;
  /** How many were not tried, because there are too many. */
  readonly untried: number;
}

interface MutationBounds {
  /** The most mutants that are tried. */
  readonly mutants: number;
  /** The most that are compared with the policy as a whole, and the steps of each comparison. */
  readonly comparisons: number;
  readonly steps: number;
}

/** Some milliseconds each, and a second or two for each comparison. */
const BOUNDS: MutationBounds = { mutants: 3_000, comparisons: 12, steps: 10_000_000 };

const CHALLENGED_MAX = 200;

/** Changes a policy in many small ways, and counts those that some case notices. All cases must pass. */
export function scoreMutants(
  policy: CompiledPolicy,
  cases: readonly PolicyCase[],
  providers: readonly SpaceProvider[],
  options: TestCompileOptions,
  { mutants, ...bounds }: MutationBounds = BOUNDS,
): MutationScore {
  const bases = findBases(policy, cases);
  const budget = { ...bounds };
  const survivors: Survivor[] = [];
  let [killed, equal, untried, tried] = [0, 0, 0, 0];
  for (const { document, ...mutant } of mutantsOf(policy.document)) {
    if (tried >= mutants) {
      untried += 1;
      continue;
    }
    const changed = compileMutant(document, options);
    // What is no policy is refused before any case is asked.
    if (changed === null) continue;
    tried += 1;
    if (cases.some(({ witness, expected }) => compare(expected, judgeWitness(changed, witness)).length > 0)) {
      killed += 1;
      continue;
    }
    const compared = compareMutant(policy, changed, providers, bases, budget);
    if (compared === 'equal') equal += 1;
    else survivors.push({ ...mutant, told: compared === 'unknown' ? null : compared });
  }
  return { killed, survivors, equal, untried };
}

/** Some of what cases are about; it is looked around for each mutant. */
function findBases(policy: CompiledPolicy, cases: readonly PolicyCase[]): Bases {
  const judged = cases.map(({ witness }) => ({ witness, judgement: judgeWitness(policy, witness) }));
  const of = (isSo: (judgement: Judgement) => boolean) =>
    judged.filter(({ judgement }) => isSo(judgement)).map(({ witness }) => witness);
  const quiet = of(({ reasons }) => reasons.length === 0);
  return {
    lenient: [...new Set([...quiet.slice(0, 2), ...cases.slice(0, 1).map(({ witness }) => witness)])],
    challenged: of(({ verdict }) => verdict === 'CHALLENGE').slice(0, CHALLENGED_MAX),
  };
}
