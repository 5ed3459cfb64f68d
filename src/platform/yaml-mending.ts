/** A mended line is a hint, not a copy of the file. */
const LINE_LENGTH_MAX = 300;

/** What is known of the place that is mended. */
export interface MendingContext {
  readonly text: string;
  readonly isInFlow: boolean;
  /** Whether no value of the file may be repeated in a message. */
  readonly isSecret: boolean;
}

/**
 * The line at `offset`, where a tag, an anchor or an alias begins, as its author should write it: the value
 * in quotes, or without what stands before a value that is quoted already.
 */
export function mendProperty(offset: number, context: MendingContext): string {
  const { text, isInFlow } = context;
  const before = lineBefore(text, offset);
  const rest = restOfLine(text, offset);
  const written = (isInFlow ? (/^[^,\]}]*/.exec(rest)?.[0] ?? '') : rest).trim();
  const bare = written.replace(/^(?:[!&]\S*\s*)+/, '');
  const isKey = /^[\s-]*$/.test(before) && /:(?:\s|$)/.test(bare);
  // `!!seq` and `&name` before a value on the next lines; `!stytch.found` and `&&` are text.
  const isAlone = bare === '' && /^(?:!!\w+|&\w+)$/.test(written);
  const isWhole = isAlone || isKey || /^(?:['"[{]|[|>][-+\d]*\s*(?:$|#))/.test(bare);
  return toLine(before, isWhole ? bare : quote(written), context);
}

/**
 * The two lines that the author of a plain scalar with a comment after it may have meant: all of it is text,
 * or the comment is one.
 */
export function mendComment(
  scalar: { readonly start: number; readonly end: number; readonly value: string },
  context: MendingContext,
): readonly [string, string] {
  const before = lineBefore(context.text, scalar.start);
  const comment = restOfLine(context.text, scalar.end).trim();
  return [
    toLine(before, quote(`${scalar.value} ${comment}`), context),
    toLine(before, `${quote(scalar.value)} ${comment}`, context),
  ];
}

/** The scalar from `start` to `end` in quotes, with what stands before it. */
export function mendByQuotes(start: number, end: number, context: MendingContext): string {
  return toLine(lineBefore(context.text, start), quote(context.text.slice(start, end)), context);
}

function toLine(before: string, value: string, { isSecret }: MendingContext): string {
  if (isSecret) return `${/[\w-]*:?\s*$/.exec(before)?.[0] ?? ''}'…'`;
  const line = before.trimStart() + value;
  return line.length > LINE_LENGTH_MAX ? `${line.slice(0, LINE_LENGTH_MAX)}…` : line.trimEnd();
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** Both are bounded, since a line may be as long as the file. */
function lineBefore(text: string, offset: number): string {
  const from = Math.max(0, offset - LINE_LENGTH_MAX);
  const part = text.slice(from, offset);
  return part.slice(part.lastIndexOf('\n') + 1);
}

function restOfLine(text: string, offset: number): string {
  return /^[^\r\n]*/.exec(text.slice(offset, offset + LINE_LENGTH_MAX))?.[0] ?? '';
}
