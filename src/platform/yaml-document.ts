import { isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';

/** Where a value stands in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed YAML file that knows where each of its values stands. */
export interface YamlDocument {
  readonly value: unknown;
  /** Syntax errors, duplicate keys among them; `value` means nothing while there are any. */
  readonly errors: readonly { readonly position: Position; readonly message: string }[];
  /** The position of the value at `path`, of its key, or of the character `offset` of its text. Falls back to the nearest parent that exists. */
  locate(path: readonly (string | number)[], options?: { isKey?: boolean; offset?: number | null }): Position;
}

/** Parses YAML 1.2. Aliases are refused beyond a small count, so that a short file cannot become a huge value. Never throws. */
export function parseYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    // Its warnings quote the file on standard error, and not as log lines; they are about what a schema refuses anyway.
    logLevel: 'error',
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const errors = document.errors.map(({ pos, message }) => ({
    position: at(pos[0]),
    message,
  }));
  let value: unknown = null;
  try {
    if (errors.length === 0) value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // `yaml` throws a ReferenceError for more aliases than allowed.
    errors.push({
      position: { line: 1, column: 1 },
      message: error instanceof Error ? error.message : 'too many aliases',
    });
  }
  return {
    value,
    errors,
    locate: (path, { isKey = false, offset = null } = {}) =>
      at(offsetOf(document.contents, path, isKey, offset, text)),
  };
}

function offsetOf(
  root: Node | null,
  path: readonly (string | number)[],
  isKey: boolean,
  offset: number | null,
  text: string,
): number {
  let node: unknown = root;
  let start = root?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    if (pair && isKey && depth === path.length - 1) return (pair.key as Node).range?.[0] ?? start;
    const child: unknown = pair ? pair.value : getItem(node, step);
    if (child === undefined || child === null) return start;
    node = child;
    start = (child as Node).range?.[0] ?? start;
  }
  return offset !== null && isScalar(node) ? offsetInScalar(node, offset, text) : start;
}

function getItem(node: unknown, step: string | number): unknown {
  if (typeof node !== 'object' || node === null || !('items' in node) || !Array.isArray(node.items))
    return undefined;
  return isMap(node) ? undefined : node.items[Number(step)];
}

interface ScalarNode {
  readonly value?: unknown;
  readonly range?: readonly [number, number, number] | null | undefined;
}

/** Follows the value through the source: quoting, folding and indentation only add characters between those of the value, and an escape stands for one of them. */
function offsetInScalar(node: ScalarNode, offset: number, text: string): number {
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
