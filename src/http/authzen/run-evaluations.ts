/** When to stop asking (OpenID AuthZEN Authorization API 1.0, `options.evaluations_semantic`). */
export const EVALUATION_SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
type EvaluationSemantic = (typeof EVALUATION_SEMANTICS)[number];

/** The decision that ends a request early; null where nothing does. */
export const LAST_DECISION = {
  execute_all: null,
  deny_on_first_deny: false,
  permit_on_first_permit: true,
} as const satisfies Record<EvaluationSemantic, boolean | null>;

/**
 * Asks `evaluate` about one item after the other, until one is decided as `last`. Answers in their order, as far
 * as it came.
 */
export async function evaluateInTurn<Item, Answer extends { readonly decision: boolean }>(
  items: readonly Item[],
  last: boolean,
  evaluate: (item: Item, place: number) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const [place, item] of items.entries()) {
    const answer = await evaluate(item, place);
    answers.push(answer);
    if (answer.decision === last) break;
  }
  return answers;
}
