/**
 * Quoted text of any kind that CEL has, or the start of a comment. The library that runs conditions
 * skips what follows a backslash in raw text too.
 */
const TOKEN =
  /"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\//g;

/** Where the first comment of a CEL condition begins, or null. */
export function findComment(condition: string): number | null {
  for (const { 0: token, index } of condition.matchAll(TOKEN)) if (token === '//') return index;
  return null;
}
