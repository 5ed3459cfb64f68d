import { type CompiledPolicy, type CompileOptions, compilePolicy } from '../domain/policy/compile.ts';
import { failure, type Result } from '../domain/result.ts';

/** A parsed file that can say where its values stand; lines and columns count from 1. */
export interface LocatedDocument {
  readonly value: unknown;
  readonly errors: readonly { readonly position: FilePosition; readonly message: string }[];
  locate(
    path: readonly (string | number)[],
    options: { readonly isKey: boolean; readonly offset: number | null },
  ): FilePosition;
}

export interface FilePosition {
  readonly line: number;
  readonly column: number;
}

export interface LoadPolicyOptions extends Omit<CompileOptions, 'hash'> {
  readonly parse: (text: string) => LocatedDocument;
  /** Hex digest of a text. */
  readonly sha256: (text: string) => string;
}

/** Compiles the text of a policy file, or returns every mistake in it as `line:column: message`. */
export function loadPolicy(text: string, options: LoadPolicyOptions): Result<CompiledPolicy, string> {
  const document = options.parse(text);
  if (document.errors.length > 0) {
    return failure(document.errors.map(({ position, message }) => at(position, message)));
  }
  const compiled = compilePolicy(document.value, { ...options, hash: `sha256:${options.sha256(text)}` });
  if (compiled.ok) return compiled;
  const mistakes = compiled.mistakes.map((mistake) => {
    const name = mistake.path.join('.');
    const position = document.locate(mistake.path, mistake);
    return { position, text: at(position, name === '' ? mistake.message : `${name}: ${mistake.message}`) };
  });
  mistakes.sort(
    (left, right) => left.position.line - right.position.line || left.position.column - right.position.column,
  );
  return failure(mistakes.map((mistake) => mistake.text));
}

function at({ line, column }: FilePosition, message: string): string {
  return `${line}:${column}: ${message}`;
}
