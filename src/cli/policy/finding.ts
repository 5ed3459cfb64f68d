/** Something that is wrong at a place of a file. */
export interface Finding {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly column: number;
  /** The id of the rule that it is in; null outside of one, and where that has none. */
  readonly rule: string | null;
  readonly message: string;
  /** All of it, as `file:line:column: message`. */
  readonly text: string;
}

/** The parts of a mistake in a file, which is written as `line:column: rule id, field: message`. */
export function toFinding(file: string, mistake: string): Finding {
  const [, line = 1, column = 1, message = mistake] = /^(\d+):(\d+): (.*)$/s.exec(mistake) ?? [];
  const [, rule = null] = /^rule ([a-z][a-z0-9-]*)[,:] /.exec(message) ?? [];
  return { file, line: Number(line), column: Number(column), rule, message, text: `${file}:${mistake}` };
}

/** A finding as `--json` has it. */
export function toJson({ file, line, column, rule, message }: Finding): object {
  return { file, line, column, rule, message };
}
