import type { LabelTask, TextLabelResult } from './label-writer.ts';

interface Waiting {
  readonly task: LabelTask;
  readonly resolve: (result: TextLabelResult) => void;
  readonly reject: (error: unknown) => void;
}

/** What writing came to, of one task: the code of a failure where nothing of it is kept. */
export type WrittenLabel = TextLabelResult | { readonly kind: 'failed'; readonly code: string };

/** As many as a page of the dashboard labels at once. */
const TOGETHER_MAX = 100;

/** Writes labels by `write`, in their order: those that come while others are being written are written together. */
export class LabelQueue {
  readonly #write: (tasks: readonly LabelTask[]) => Promise<readonly WrittenLabel[]>;
  readonly #waiting: Waiting[] = [];
  #isWorking = false;

  constructor(write: (tasks: readonly LabelTask[]) => Promise<readonly WrittenLabel[]>) {
    this.#write = write;
  }

  /** Rejects with an Error that has a `code` where it is not kept. */
  add(task: LabelTask): Promise<TextLabelResult> {
    const { promise, resolve, reject } = Promise.withResolvers<TextLabelResult>();
    this.#waiting.push({ task, resolve, reject });
    if (!this.#isWorking) void this.#work();
    return promise;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, TOGETHER_MAX);
      try {
        const results = await this.#write(batch.map(({ task }) => task));
        for (const [place, waiting] of batch.entries()) settle(waiting, results[place]);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWorking = false;
  }
}

function settle({ resolve, reject }: Waiting, result: WrittenLabel | undefined): void {
  if (result !== undefined && result.kind !== 'failed') resolve(result);
  else reject(Object.assign(new Error('a label was not written'), { code: result?.code ?? 'ERROR' }));
}
