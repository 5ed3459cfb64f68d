/** One call that a provider answered definitely. */
export interface CallSample {
  /** The store key of the id. */
  readonly key: string;
  /** See callSourceOf. */
  readonly source: string;
  readonly isFound: boolean;
  readonly atMs: number;
}

/** The latest samples, in order of arrival. */
export interface NotFoundWindow {
  add(sample: CallSample): void;
  /** A summary of the samples at `nowMs`. */
  read(nowMs: number): NotFoundReading;
  clear(): void;
}

interface NotFoundReading {
  readonly samples: number;
  readonly notFound: number;
  /** The samples since the last one that was found, and the number of their sources. */
  readonly run: number;
  readonly runSources: number;
  /** The store keys that were not found. */
  readonly notFoundKeys: readonly string[];
}

/** The bounds of the window: the number of calls, and their age. */
const SAMPLES_MAX = 200;
const AGE_MS_MAX = 30_000;
/**
 * The latest samples are kept at any age: a service with ten calls an hour can have a wrong environment too.
 */
export const SAMPLES_MIN = 10;
/** The most samples of one source: further ones push out its own oldest. */
const SAMPLES_OF_SOURCE_MAX = 20;

/**
 * Builds an empty window. Repeats of one id count once. To add a sample costs the same, however many there
 * are.
 */
export function createNotFoundWindow(): NotFoundWindow {
  /** By key, in order of arrival: a repeat is taken out before it comes in again. */
  const samples = new Map<string, CallSample>();
  const countOf = new Map<string, number>();
  const remove = ({ key, source }: CallSample): void => {
    samples.delete(key);
    const count = countOf.get(source) ?? 0;
    if (count > 1) countOf.set(source, count - 1);
    else countOf.delete(source);
  };
  const removeOldest = (isIt: (sample: CallSample) => boolean): void => {
    for (const sample of samples.values()) {
      if (!isIt(sample)) continue;
      remove(sample);
      return;
    }
  };
  const expire = (nowMs: number): void => {
    for (const sample of samples.values()) {
      if (samples.size <= SAMPLES_MIN || nowMs - sample.atMs <= AGE_MS_MAX) return;
      remove(sample);
    }
  };
  return {
    add: (sample) => {
      const { key, source } = sample;
      const repeated = samples.get(key);
      if (repeated !== undefined) remove(repeated);
      if ((countOf.get(source) ?? 0) >= SAMPLES_OF_SOURCE_MAX)
        removeOldest((other) => other.source === source);
      samples.set(key, sample);
      countOf.set(source, (countOf.get(source) ?? 0) + 1);
      if (samples.size > SAMPLES_MAX) removeOldest(() => true);
      expire(sample.atMs);
    },
    read: (nowMs) => {
      expire(nowMs);
      const all = [...samples.values()];
      const run = all.slice(all.findLastIndex(({ isFound }) => isFound) + 1);
      const notFound = all.filter(({ isFound }) => !isFound);
      return {
        samples: all.length,
        notFound: notFound.length,
        run: run.length,
        runSources: new Set(run.map(({ source }) => source)).size,
        notFoundKeys: notFound.map(({ key }) => key),
      };
    },
    clear: () => {
      samples.clear();
      countOf.clear();
    },
  };
}
