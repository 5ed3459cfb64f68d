import { type ErrorCode, isScalar, LineCounter, parseDocument, Scalar } from 'yaml';
import { findOddLexemes, findOddNodes, type Oddity } from './yaml-oddities.ts';
import { createFinder, type Find } from './yaml-places.ts';

/**
 * One mistake in a value, by the path to it; `isKey` points to its key, `offset` to a character of its text.
 */
export interface LocatedMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly isKey?: boolean;
  readonly offset?: number | null;
  /** What people call the place, where that is not its path. */
  readonly name?: string;
}

/** A parsed YAML file that knows where each of its values stands. */
interface YamlDocument {
  readonly value: unknown;
  /**
   * What is wrong with the file as YAML, as `line:column: message`; `value` means nothing while there is any.
   */
  readonly mistakes: readonly string[];
  /**
   * Mistakes in the value as `line:column: path: message`, in the order of the file and bounded in number and
   * length. One whose path leads nowhere stands at its nearest parent.
   */
  describe(mistakes: readonly LocatedMistake[]): readonly string[];
  /** Where a value begins; lines and columns count from 1. */
  locate(path: readonly (string | number)[]): { readonly line: number; readonly column: number };
  /** True for text that stands on several lines and whose line breaks are read as spaces. */
  isFolded(path: readonly (string | number)[]): boolean;
}

interface YamlOptions {
  /** Keys whose value is free text, such as a condition: no comment may follow it without quotes. */
  readonly texts?: readonly string[];
  /** Whether no value of the file may be repeated in a message. */
  readonly isSecret?: boolean;
}

/** More mistakes than anybody reads at once; the rest is counted. */
const MISTAKES_MAX = 100;
const MESSAGE_LENGTH_MAX = 1_000;
/** Where the library's message is for programmers. */
const OWN_MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  MULTIPLE_DOCS: 'a second document begins here: a file holds one',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
};

/**
 * Parses one YAML 1.2 document of plain mappings, sequences and scalars. What YAML does behind a reader's
 * back is a mistake: tags, anchors, aliases, merge keys, directives, explicit keys, keys that are no text or
 * stand twice, numbers in odd spellings, and a comment that may be the end of a text. Never throws.
 */
export function parseYaml(text: string, options: YamlOptions = {}): YamlDocument {
  const lines = new LineCounter();
  const toText = (offset: number, message: string) => {
    const { line, col } = lines.linePos(offset);
    return shorten(`${line}:${col}: ${message}`);
  };
  const refuse = (oddities: readonly Oddity[]): YamlDocument => ({
    value: null,
    mistakes: bounded(oddities.map(({ offset, message }) => toText(offset, message))),
    describe: () => [],
    locate: () => ({ line: 1, column: 1 }),
    isFolded: () => false,
  });
  const { texts = [], isSecret = false } = options;
  const limits = { texts, isSecret, max: MISTAKES_MAX + 1 };
  countLines(text, lines);
  try {
    const odd = findOddLexemes(text, limits);
    if (odd.length > 0) return refuse(odd);
    const document = parseDocument(text, {
      // Quadratic in the library; keys are compared in findOddNodes.
      uniqueKeys: false,
      prettyErrors: false,
      // Its warnings quote the file on standard error, and not as log lines.
      logLevel: 'error',
    });
    const { contents } = document;
    const broken = [...document.errors, ...document.warnings].map(({ pos: [offset], code, message }) => ({
      offset,
      message: OWN_MESSAGES[code] ?? message,
    }));
    if (broken.length > 0) return refuse(broken);
    const confusing = findOddNodes(contents, text, limits);
    if (confusing.length > 0) return refuse(confusing);
    const find = createFinder(contents, text);
    return {
      value: document.toJS({ maxAliasCount: 0 }),
      mistakes: [],
      describe: (mistakes) => describe(mistakes, find, toText),
      locate: (path) => {
        const { line, col } = lines.linePos(find(path).offset);
        return { line, column: col };
      },
      isFolded: (path) => isFolded(find(path).node, text),
    };
  } catch (error) {
    // A RangeError: nested so deeply that the library ran out of stack.
    if (!(error instanceof RangeError)) throw error;
    return refuse([{ offset: 0, message: 'is nested too deeply' }]);
  }
}

function describe(
  mistakes: readonly LocatedMistake[],
  find: Find,
  toText: (offset: number, message: string) => string,
): readonly string[] {
  const located = mistakes.map((mistake) => ({ mistake, offset: find(mistake.path, mistake).offset }));
  located.sort((left, right) => left.offset - right.offset);
  const texts = located.slice(0, MISTAKES_MAX + 1).map(({ mistake, offset }) => {
    const { path, message, name = path.join('.') } = mistake;
    return toText(offset, name === '' ? message : `${shorten(name)}: ${message}`);
  });
  return bounded(texts, located.length);
}

function bounded(texts: readonly string[], count = texts.length): readonly string[] {
  if (count <= MISTAKES_MAX) return texts;
  // Looked for no further than one beyond the bound, so that their number may not be known.
  const last = texts[MISTAKES_MAX] ?? '';
  const position = /^\d+:\d+: /.exec(last)?.[0] ?? '1:1: ';
  return [...texts.slice(0, MISTAKES_MAX), `${position}here and beyond it are more mistakes than are listed`];
}

/** Control characters of a name that is quoted would reach a terminal. */
function shorten(text: string): string {
  const cut = text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX)}…` : text;
  return cut.replaceAll(/\p{Cc}/gu, '?');
}

function isFolded(node: unknown, text: string): boolean {
  if (!isScalar(node) || !node.range || node.type === Scalar.BLOCK_LITERAL) return false;
  // The line of the sign itself is not one of the text.
  const lines = text.slice(node.range[0], node.range[1]).replace(/^>[^\n]*\n/, '');
  return /\S[^\S\n]*\n\s*\S/.test(lines);
}

function countLines(text: string, lines: LineCounter): void {
  for (let start = 0; start !== 0 || lines.lineStarts.length === 0; start = text.indexOf('\n', start) + 1)
    lines.addNewLine(start);
}
