import { CST, isMap, isNode, isScalar, isSeq, Lexer, type Node, type Pair, Scalar, type YAMLMap } from 'yaml';
import { type MendingContext, mendByQuotes, mendComment, mendProperty } from './yaml-mending.ts';

/** Something in a YAML file that a reader of it may take for something else. */
export interface Oddity {
  readonly offset: number;
  readonly message: string;
}

interface OddityOptions {
  /** Keys whose value is free text, in which a comment would cut off the end unseen. */
  readonly texts: readonly string[];
  /** Whether no value of the file may be repeated in a message. */
  readonly isSecret: boolean;
  /** No more are looked for than these. */
  readonly max: number;
}

const DEPTH_MAX = 32;
/**
 * Characters that YAML forbids, line breaks to some readers only (a lone CR, NEL, LS, PS), marks that reorder
 * a line on the screen, and a byte order mark after the first character.
 */
const UNREADABLE =
  /(?![\t\n\r])\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]|\r(?!\n)|(?<=[\s\S])\ufeff/gu;
/** Lexemes of no width, by which the lexer says what follows. */
const MARKS = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);
const PROPERTIES = { tag: '!', anchor: '&', alias: '*' } as const;

/**
 * What the characters and lexemes of `text` alone tell: forbidden characters, tags, anchors, aliases,
 * directives, explicit keys.
 */
export function findOddLexemes(text: string, options: OddityOptions): readonly Oddity[] {
  const found: Oddity[] = [];
  for (const match of text.matchAll(UNREADABLE)) {
    const name = `U+${match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
    found.push({ offset: match.index, message: `the character ${name} is refused: leave it out` });
    if (found.length >= options.max) return found;
  }
  // The lexer's marks are control characters: it is asked only where the text has none of its own.
  if (found.length > 0) return found;
  let offset = 0;
  let flowDepth = 0;
  let isScalarNext = false;
  let lineOfLast = -1;
  let line = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const type = isScalarNext ? 'scalar' : CST.tokenType(lexeme);
    isScalarNext = lexeme === CST.SCALAR && !isScalarNext;
    if (MARKS.has(lexeme)) continue;
    if (type === 'newline') line += 1;
    else if (type === 'flow-map-start' || type === 'flow-seq-start') flowDepth += 1;
    else if (type === 'flow-map-end' || type === 'flow-seq-end') flowDepth -= 1;
    const context = { text, isInFlow: flowDepth > 0, isSecret: options.isSecret };
    const message = line === lineOfLast ? null : messageOf(type, offset, context);
    if (message !== null) {
      found.push({ offset, message });
      // `!a && b` is one mistake, although it holds a tag and an anchor.
      lineOfLast = line;
      if (found.length >= options.max) return found;
    }
    offset += lexeme.length;
  }
  return found;
}

function messageOf(type: CST.TokenType | null, offset: number, context: MendingContext): string | null {
  if (type === 'directive-line') return 'a YAML directive is refused: leave the line out';
  if (type === 'explicit-key-ind') return '`?` begins an explicit key, which is refused: write `key: value`';
  if (type !== 'tag' && type !== 'anchor' && type !== 'alias') return null;
  const line = mendProperty(offset, context);
  return `\`${PROPERTIES[type]}\` without quotes begins a YAML ${type}, which is refused; write: ${line}`;
}

interface Visit {
  readonly node: unknown;
  /** The key that it is the value of, or among the values of. */
  readonly key: string | null;
  readonly isKey: boolean;
  readonly depth: number;
  readonly isInFlow: boolean;
}

/**
 * What the nodes of a document tell, which has no tags, anchors and aliases: keys that are no text or stand
 * twice, numbers in odd spellings, comments that may be the end of a text, deep nesting. Visits each node
 * once.
 */
export function findOddNodes(root: Node | null, text: string, options: OddityOptions): readonly Oddity[] {
  const found: Oddity[] = [];
  const waiting: Visit[] = [{ node: root, key: null, isKey: false, depth: 0, isInFlow: false }];
  for (let next = waiting.pop(); next !== undefined && found.length < options.max; next = waiting.pop()) {
    const { node, key, isKey, depth } = next;
    const isInFlow = next.isInFlow || ((isMap(node) || isSeq(node)) && node.flow === true);
    const context = { text, isInFlow, isSecret: options.isSecret };
    if (depth > DEPTH_MAX) {
      found.push({ offset: startOf(node), message: `is nested deeper than ${DEPTH_MAX} levels` });
    } else if (isMap(node)) {
      found.push(...findOddKeys(node, context));
      for (const pair of node.items) {
        const inner = { depth: depth + 1, isInFlow };
        // A comment may follow a key that has no value.
        waiting.push({ node: pair.key, key: null, isKey: true, ...inner });
        waiting.push({ node: pair.value, key: keyOf(pair) ?? null, isKey: false, ...inner });
      }
    } else if (isSeq(node)) {
      for (const item of node.items)
        waiting.push({ node: item, key, isKey: false, depth: depth + 1, isInFlow });
    } else if (isScalar(node) && node.type === Scalar.PLAIN) {
      const isText = isInFlow || (key !== null && options.texts.includes(key));
      const oddity = (isKey ? null : findOddNumber(node, context)) ?? findCutText(node, isText, context);
      if (oddity !== null) found.push(oddity);
    }
  }
  return found.sort((left, right) => left.offset - right.offset);
}

function findOddKeys(map: YAMLMap, context: MendingContext): readonly Oddity[] {
  const found: Oddity[] = [];
  const seen = new Set<string>();
  for (const pair of map.items) {
    const offset = startOf(pair.key);
    const key = keyOf(pair);
    const report = (message: string) => found.push({ offset, message });
    if (key === undefined) {
      const end = isScalar(pair.key) ? pair.key.range?.[1] : undefined;
      const quoted = end === undefined || end === offset ? null : mendByQuotes(offset, end, context);
      report(
        `a key must be text${quoted === null ? '' : `, and this is read as something else; write: ${quoted}:`}`,
      );
    } else if (key === '<<') report('`<<` merges nothing: write its members out');
    else if (seen.has(key)) report('a key stands twice in one mapping');
    else seen.add(key);
  }
  return found;
}

function findOddNumber({ value, source, range }: Scalar, context: MendingContext): Oddity | null {
  if (typeof value !== 'number' || source === String(value)) return null;
  const [start, end] = range ?? [0, 0];
  const isSayable = Number.isFinite(value) && !context.isSecret;
  const plainly = isSayable ? `write ${value}, or, ` : '';
  const quoted = mendByQuotes(start, end, context);
  return { offset: start, message: `is a number in an unusual form: ${plainly}for text: ${quoted}` };
}

function findCutText(node: Scalar, isText: boolean, context: MendingContext): Oddity | null {
  const value = node.source ?? '';
  // An empty scalar has nothing that a comment could be the end of, and one word is whole where no text is
  // expected.
  if (value === '' || (!isText && !/\s/.test(value))) return null;
  const [start, end] = node.range ?? [0, 0];
  let place = end;
  while (context.text[place] === ' ' || context.text[place] === '\t') place += 1;
  if (context.text[place] !== '#') return null;
  const [whole, cut] = mendComment({ start, end, value }, context);
  const message = 'a comment begins here, after text without quotes, and may be meant as the end of it';
  return { offset: place, message: `${message}; write: ${whole}   or, where it is a comment: ${cut}` };
}

/** The key of a pair where it is text, in whichever style. */
function keyOf({ key }: Pair): string | undefined {
  return isScalar(key) && typeof key.value === 'string' ? key.value : undefined;
}

function startOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}
