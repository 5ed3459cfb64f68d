/** An error of the expression engine, as far as it says what it is. */
interface EngineError {
  readonly code: string;
  readonly summary: string;
}

/** Where in a condition an error stands; its beginning where the error does not say. */
export function startOf(
  error: { readonly range?: { readonly start: number } | undefined } | undefined,
): number {
  return error?.range?.start ?? 0;
}

/** What the engine's type check and parser say, in words for the author of a condition. */
export function plainEngine(error: EngineError | undefined): string {
  if (error === undefined) return 'is not valid CEL';
  const { code, summary } = error;
  switch (code) {
    case 'no_such_overload':
      return `types that do not fit: ${summary.replace('no such overload: ', '')}`;
    case 'no_matching_overload':
      return `a function with types that it does not take: ${summary.replace(/^.*? for /, '')}`;
    case 'heterogeneous_list_element':
      return summary.replace(
        /^.*expected type '(.*)' but found '(.*)'$/,
        'a list holds values of one type, and this one has $1 first and then $2',
      );
    case 'unexpected_token':
      return summary.endsWith('EOF') ? 'something is missing at its end' : summary;
    default:
      return summary;
  }
}
