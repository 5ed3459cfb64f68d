/** An expected failure as a value. `mistakes` is never empty, and lists every mistake, not only the first. */
export type Result<Value, Mistake> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** A success. */
export function success<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

/** A failure with every mistake that was found. */
export function failure<Mistake>(mistakes: readonly Mistake[]): {
  readonly ok: false;
  readonly mistakes: readonly Mistake[];
} {
  return { ok: false, mistakes };
}
