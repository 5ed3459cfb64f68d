import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import type { ConcludeFacts, FactQuestion, FactSource, KnownEvidence } from './fact-source.ts';

/**
 * Asks every source that the policy of the question reads a fact of. Null where there is none; synchronous
 * where all of them are.
 */
type AskFacts = (question: FactQuestion) => ConcludeFacts | null | Promise<ConcludeFacts>;

/** Builds the use case over these sources, no two of which tell the same fact. */
export function createAskFacts(sources: readonly FactSource[]): AskFacts {
  let read: { readonly policy: CompiledPolicy; readonly sources: readonly FactSource[] } | null = null;
  return (question) => {
    const { policy } = question;
    if (read?.policy !== policy) read = { policy, sources: sources.filter((each) => isRead(each, policy)) };
    const [first, ...others] = read.sources;
    if (first === undefined) return null;
    if (others.length === 0) return first.ask(question);
    const asked = read.sources.map((source) => source.ask(question));
    const isAtHand = asked.every((each) => typeof each === 'function');
    return isAtHand ? toOne(asked) : Promise.all(asked).then(toOne);
  };
}

function isRead({ names }: FactSource, policy: CompiledPolicy): boolean {
  return names.some((name) => policy.factsNeeded.includes(name));
}

/** Each of them is told what those before it have told. */
function toOne(asked: readonly ConcludeFacts[]): ConcludeFacts {
  const concludeFrom = (place: number, known: KnownEvidence): SubjectFacts | Promise<SubjectFacts> => {
    const told = asked[place]?.(known);
    if (told === undefined) return known.facts;
    if (!(told instanceof Promise)) return concludeFrom(place + 1, withFacts(known, told));
    return told.then((late) => concludeFrom(place + 1, withFacts(known, late)));
  };
  return (known) => concludeFrom(0, known);
}

function withFacts(known: KnownEvidence, told: SubjectFacts): KnownEvidence {
  return { ...known, facts: { ...known.facts, ...told } };
}
