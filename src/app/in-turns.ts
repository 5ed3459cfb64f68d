/**
 * Bounds work that takes a thread of its own, and so a core and hundreds of megabytes: one after the other, in
 * the order in which it was asked for. For work of which only so much can wait.
 */
export function inTurns<Given extends readonly unknown[], Answer>(
  work: (...given: Given) => Promise<Answer>,
): (...given: Given) => Promise<Answer> {
  let last: Promise<unknown> = Promise.resolve();
  return (...given) => {
    const answer = last.then(() => work(...given));
    last = answer.catch(() => {});
    return answer;
  };
}
