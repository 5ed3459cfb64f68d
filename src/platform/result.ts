/**
 * What was read from outside, or every mistake in it, one line each; `mistakes` is never empty then. The
 * shape is the domain's `Result`, which neither platform nor configuration may import.
 */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly mistakes: readonly string[] };
