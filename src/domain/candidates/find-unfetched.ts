import { CONTRADICTIONS_FACT, TOTALS } from '../contradictions/contradiction-signals.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { numberParameters } from '../policy/fact-parameters.ts';
import { findListReads } from '../policy/list-reads.ts';
import { LISTS_FACT } from '../policy/list-signals.ts';
import { STEP_UP_FACT } from '../policy/step-up-signals.ts';
import type { FactRead } from '../policy/subject-fact.ts';
import { TELEMETRY_FACT } from '../policy/telemetry-signals.ts';

/**
 * What a candidate needs of facts about the subject and the live policy does not ask for, or asks for in another
 * way: names as conditions have them, sorted. Providers are none of them: all that are enabled are asked for every
 * decision.
 */
export function findUnfetched(live: CompiledPolicy, candidate: CompiledPolicy): readonly string[] {
  const names = new Set<string>();
  for (const read of candidate.facts)
    for (const path of read.paths)
      if (!isFetched(live, candidate, read, path)) names.add([read.fact.name, ...path].join('.'));
  if (candidate.factsNeeded.includes(STEP_UP_FACT.name) && !hasStepUps(live, candidate))
    names.add(STEP_UP_FACT.name);
  return [...names].sort();
}

function isFetched(
  live: CompiledPolicy,
  candidate: CompiledPolicy,
  read: FactRead,
  path: readonly string[],
): boolean {
  const { fact } = read;
  // Asked for as one, also where contradictions alone need it.
  if (fact === TELEMETRY_FACT) return live.factsAsked.includes(fact.name);
  if (fact === STEP_UP_FACT) return hasStepUps(live, candidate);
  const own = live.facts.find((each) => each.fact === fact);
  if (own === undefined || !haveSameParameters(live, candidate, read, path)) return false;
  if (fact === LISTS_FACT && !readListAlike(live, candidate, path)) return false;
  const isTold = own.paths.some((told) => told.join('.') === path.join('.'));
  // Who reads a total is told every contradiction.
  return isTold || (fact === CONTRADICTIONS_FACT && own.paths.some(([name = '']) => name in TOTALS));
}

/** A step-up that is older than the live policy can use is not found. */
function hasStepUps(live: CompiledPolicy, candidate: CompiledPolicy): boolean {
  return (
    live.factsNeeded.includes(STEP_UP_FACT.name) && live.stepUpLifeSeconds >= candidate.stepUpLifeSeconds
  );
}

function haveSameParameters(
  live: CompiledPolicy,
  candidate: CompiledPolicy,
  { fact }: FactRead,
  path: readonly string[],
): boolean {
  const [own, other] = [live, candidate].map(({ document }) => numberParameters(document));
  return (fact.parametersOf?.([path]) ?? []).every((name) => own?.[name] === other?.[name]);
}

/** A list whose changes are not heard is read otherwise where being on it can make an answer milder. */
function readListAlike(live: CompiledPolicy, candidate: CompiledPolicy, [name]: readonly string[]): boolean {
  const [own, other] = [live, candidate].map((policy) =>
    findListReads(policy).find(({ list }) => list === name),
  );
  return own?.grants === other?.grants;
}
