interface ScalarNode {
  readonly value?: unknown;
  readonly range?: readonly [number, number, number] | null | undefined;
}

/**
 * Where in `text` the character `offset` of a scalar's value stands. Follows the value through the source:
 * quoting, folding and indentation only add characters between those of the value, and an escape stands for
 * one of them.
 */
export function offsetInScalar(node: ScalarNode, offset: number, text: string): number {
  const value = String(node.value);
  const [start, end] = node.range ?? [0, 0];
  const style = text[start];
  let place = style === '|' || style === '>' ? text.indexOf('\n', start) + 1 : start;
  if (style === '"' || style === "'") place += 1;
  for (let index = 0; index <= Math.min(offset, value.length - 1); index += 1) {
    const character = value[index] ?? '';
    // An escaped line break stands for nothing at all.
    while (style === '"' && /^\\[\r\n]/.test(text.slice(place, place + 2)))
      place = skipSpace(text, place + 1);
    const isEscape = style === '"' && text[place] === '\\';
    const isSpace = !isEscape && /\s/.test(character);
    const found = isEscape || isSpace ? place : text.indexOf(character, place);
    if (found === -1 || found >= end) break;
    if (index === offset) return found;
    place = isEscape ? found + escapeLength(text[found + 1]) : isSpace ? skipSpace(text, place) : found + 1;
  }
  return Math.min(place, Math.max(start, end - 1));
}

/** How many characters an escape of a double-quoted scalar takes (YAML 1.2, section 5.7). */
function escapeLength(letter: string | undefined): number {
  const digits = { x: 2, u: 4, U: 8 }[letter ?? ''] ?? 0;
  return 2 + digits;
}

function skipSpace(text: string, from: number): number {
  let place = from;
  while (/\s/.test(text[place] ?? 'x')) place += 1;
  return place;
}
