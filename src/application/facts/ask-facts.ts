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
    const [first] = read.sources;
    if (first === undefined) return null;
    return read.sources.length === 1 ? first.ask(question) : askAll(read.sources, question);
  };
}

function isRead({ names }: FactSource, policy: CompiledPolicy): boolean {
  return names.some((name) => policy.factsAsked.includes(name));
}

/** On the way of every decision: nothing is built that is not needed. */
function askAll(
  sources: readonly FactSource[],
  question: FactQuestion,
): ConcludeFacts | Promise<ConcludeFacts> {
  const asked: (ConcludeFacts | Promise<ConcludeFacts>)[] = [];
  let isAtHand = true;
  for (const source of sources) {
    const conclude = source.ask(question);
    isAtHand &&= typeof conclude === 'function';
    asked.push(conclude);
  }
  // None of them is a promise then.
  return isAtHand
    ? toOne(asked as ConcludeFacts[])
    : Promise.all(asked.map((each) => Promise.resolve(each))).then(toOne);
}

/** Each of them is told what those before it have told. */
function toOne(asked: readonly ConcludeFacts[]): ConcludeFacts {
  return ({ gathered, nowMs, facts }) => {
    const soFar = { gathered, nowMs, facts: { ...facts } };
    return concludeFrom(asked, 0, soFar);
  };
}

function concludeFrom(
  asked: readonly ConcludeFacts[],
  from: number,
  soFar: KnownEvidence,
): SubjectFacts | Promise<SubjectFacts> {
  for (let place = from; place < asked.length; place += 1) {
    const told = asked[place]?.(soFar);
    if (told instanceof Promise)
      return told.then((late) => {
        Object.assign(soFar.facts, late);
        return concludeFrom(asked, place + 1, soFar);
      });
    Object.assign(soFar.facts, told);
  }
  return soFar.facts;
}
