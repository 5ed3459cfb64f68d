import type { ApiClient, Query } from './api-client.ts';

/** Told how many decisions have come. */
type OnProgress = (decisions: number) => void;

/** Where an export of which a part is there goes on. */
export interface PartialExport {
  /** Whole lines, in order. */
  readonly file: Blob;
  /** The id of the last decision among them; null for none. */
  readonly lastId: string | null;
  readonly decisions: number;
}

const NOTHING: PartialExport = { file: new Blob([]), lastId: null, decisions: 0 };

/** Why an export broke off, and what there is of it. */
export class BrokenExport extends Error {
  override readonly name = 'BrokenExport';
  readonly part: PartialExport;

  constructor(part: PartialExport, cause: unknown) {
    super(cause instanceof Error ? cause.message : 'no answer', { cause });
    this.part = part;
  }
}

/** So often in a row an export that got no further goes on by itself. */
const TRIES_MAX = 4;
const WAIT_MS = 1_000;
/** Text that is held before it is handed to the browser, which keeps it on disk. */
const HELD_CHARS_MAX = 4 * 1024 * 1024;

/** The line of a decision in either format, with its id. */
const DECISION =
  /^(?:"decision","([0-9a-f-]{36})"|\{"version":1,"kind":"decision","decision_id":"([0-9a-f-]{36})")/;

/**
 * Reads an export of text to its end, and goes on by itself behind the last whole line where the line breaks.
 * Rejects with BrokenExport where that is in vain.
 */
export async function readExport(
  client: Pick<ApiClient, 'open'>,
  query: Query,
  onProgress: OnProgress,
  from: PartialExport = NOTHING,
  wait: (ms: number) => Promise<void> = sleep,
): Promise<Blob> {
  let part = from;
  for (let tries = 1; ; tries += 1) {
    const reading = new ExportReading(part, onProgress);
    try {
      const after = part.lastId ?? undefined;
      // Only the first part has the line of names.
      const { body } = await client.open('v1/decisions/export', { ...query, after });
      if (body !== null) await reading.readAll(body);
      return reading.whole();
    } catch (error) {
      const isFurther = reading.part.decisions > part.decisions;
      part = reading.part;
      if (isFurther) tries = 0;
      if (tries >= TRIES_MAX) throw new BrokenExport(part, error);
      await wait(WAIT_MS * 2 ** tries);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** One answer, whose lines count once they are whole and a decision stands last. */
class ExportReading {
  part: PartialExport;
  readonly #onProgress: OnProgress;
  /** Lines up to a decision that are not in the file yet. */
  #held = '';
  /** What follows: lines of gaps and events, and one that is not whole. */
  #rest = '';
  #lastId: string | null;
  #decisions: number;

  constructor(part: PartialExport, onProgress: OnProgress) {
    this.part = part;
    this.#lastId = part.lastId;
    this.#decisions = part.decisions;
    this.#onProgress = onProgress;
  }

  async readAll(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const reader = body.getReader();
    try {
      for (let read = await reader.read(); !read.done; read = await reader.read())
        this.#take(decoder.decode(read.value, { stream: true }));
    } finally {
      this.#keep();
    }
    this.#rest += decoder.decode();
  }

  /** Once all of it was read. */
  whole(): Blob {
    return new Blob([this.part.file, this.#rest]);
  }

  #take(text: string): void {
    this.#rest += text;
    let end = 0;
    for (let from = 0, to = this.#rest.indexOf('\n'); to !== -1; to = this.#rest.indexOf('\n', from)) {
      const [, csvId, jsonId] = DECISION.exec(this.#rest.slice(from, to)) ?? [];
      from = to + 1;
      const id = csvId ?? jsonId;
      if (id === undefined) continue;
      this.#lastId = id;
      this.#decisions += 1;
      end = from;
    }
    this.#held += this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    if (this.#held.length >= HELD_CHARS_MAX) this.#keep();
    this.#onProgress(this.#decisions);
  }

  #keep(): void {
    const file = this.#held === '' ? this.part.file : new Blob([this.part.file, this.#held]);
    this.#held = '';
    this.part = { file, lastId: this.#lastId, decisions: this.#decisions };
  }
}
