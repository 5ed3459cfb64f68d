import { RE2JS } from 're2js';

/** Compiles a pattern in RE2 syntax to a test that finds it anywhere in a text, in time linear in the text. Throws on anything that RE2 refuses, look-around and back-references among it. */
export function compileLinearPattern(source: string): (text: string) => boolean {
  const pattern = RE2JS.compile(source);
  return (text) => pattern.matcher(text).find();
}
