import { RE2JS } from 're2js';

/**
 * Compiles a pattern in RE2 syntax to a test that finds it anywhere in a text, in time linear in the text.
 * Throws on anything that RE2 refuses, look-around and back-references among it. `instructions` is the size
 * of its program: the time for one character is at most proportional to it.
 */
export function compileLinearPattern(
  source: string,
): ((text: string) => boolean) & { readonly instructions: number } {
  const pattern = RE2JS.compile(source);
  const test = (text: string) => pattern.matcher(text).find();
  return Object.assign(test, { instructions: pattern.programSize() });
}
