/** What tap counted. */
export interface TapSummary {
  readonly passed: number;
  readonly failed: number;
  /** Skipped and to-do tests. */
  readonly omitted: number;
}

interface Level {
  readonly name: string;
  hasFailedInside: boolean;
}

/** A YAML block after a test point, from `---` to `...` at the same indent. */
interface Diagnostics {
  readonly indent: string;
  readonly isShown: boolean;
  hasBegun: boolean;
}

const INDENT = 4;

/**
 * Turns a TAP stream, line by line, into what a person reads: each failure in full under the names that lead
 * to it and, in the stream of a run of tap, a line for each test file.
 */
export class TapReport {
  /** Null until tap has closed its report. */
  summary: TapSummary | null = null;
  readonly #write: (line: string) => void;
  /**
   * The test file whose own stream this is; null for the stream of a run, in which files are the tests at the
   * top.
   */
  readonly #file: string | null;
  readonly #levels: Level[] = [];
  #diagnostics: Diagnostics | null = null;

  constructor(write: (line: string) => void, file: string | null = null) {
    this.#write = write;
    this.#file = file;
  }

  add(line: string): void {
    if (this.#addToDiagnostics(line)) return;
    const [, indent = '', text = ''] = /^( *)(.*)$/.exec(line) ?? [];
    const depth = Math.floor(indent.length / INDENT);
    const subtest = /^# Subtest: (.*)$/.exec(text)?.[1];
    if (subtest !== undefined) this.#levels[depth] = { name: subtest, hasFailedInside: false };
    const [, not, description] = /^(not )?ok \d+(?: - )?(.*)$/.exec(text) ?? [];
    if (description !== undefined) {
      const isShown = this.#addPoint(depth, not === undefined, description);
      this.#diagnostics = { indent: `${indent}  `, isShown, hasBegun: false };
    } else if (depth === 0) this.summary = readSummary(text) ?? this.summary;
  }

  #addToDiagnostics(line: string): boolean {
    const block = this.#diagnostics;
    if (block === null) return false;
    block.hasBegun ||= line === `${block.indent}---`;
    if (!block.hasBegun || line === `${block.indent}...`) this.#diagnostics = null;
    if (block.hasBegun && block.isShown) this.#write(`  ${line.slice(block.indent.length)}`);
    return block.hasBegun;
  }

  /** Returns whether the point's diagnostics are worth reading. */
  #addPoint(depth: number, hasPassed: boolean, description: string): boolean {
    const [name = '', comment = ''] = description.split(/ # (?=time=|SKIP|TODO)/i);
    const level = this.#levels[depth];
    this.#levels.length = Math.min(this.#levels.length, depth);
    const above = this.#levels;
    const path = [...(this.#file === null ? [] : [this.#file]), ...above.map((one) => one.name), name].join(
      ' > ',
    );
    if (/^(SKIP|TODO)/i.test(comment)) this.#write(`omitted ${path} (${comment})`);
    else if (!hasPassed) {
      for (const one of above) one.hasFailedInside = true;
      // The end of a subtest repeats the failure of what is inside it.
      const isExplained = level?.name === name && level.hasFailedInside;
      const isFile = depth === 0 && this.#file === null;
      if (!isExplained || isFile) this.#write(`not ok ${path}`);
      return !isExplained;
    } else if (depth === 0 && this.#file === null) this.#write(`ok ${name} ${comment.replace('time=', '')}`);
    return false;
  }
}

/** tap closes with `# { total: 7, pass: 5, fail: 1, skip: 1 }`, without the counts that are zero. */
function readSummary(text: string): TapSummary | null {
  if (!/^# \{ total: \d+[^}]*\}$/.test(text)) return null;
  const count = (name: string) => Number(new RegExp(` ${name}: (\\d+)`).exec(text)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail'), omitted: count('skip') + count('todo') };
}
