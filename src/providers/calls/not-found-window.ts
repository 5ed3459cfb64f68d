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

/** Builds an empty window. Repeats of one id count once. */
export function createNotFoundWindow(): NotFoundWindow {
  let samples: CallSample[] = [];
  const expire = (nowMs: number) => {
    const surplus = samples.length - SAMPLES_MIN;
    const expired = samples.findIndex(({ atMs }) => nowMs - atMs <= AGE_MS_MAX);
    const count = Math.min(expired === -1 ? samples.length : expired, Math.max(0, surplus));
    if (count > 0) samples.splice(0, count);
  };
  return {
    add: (sample) => {
      samples = samples.filter(({ key }) => key !== sample.key);
      const own = samples.filter(({ source }) => source === sample.source);
      const [oldest] = own;
      if (own.length >= SAMPLES_OF_SOURCE_MAX) samples = samples.filter((other) => other !== oldest);
      samples.push(sample);
      if (samples.length > SAMPLES_MAX) samples.shift();
      expire(sample.atMs);
    },
    read: (nowMs) => {
      expire(nowMs);
      const run = samples.slice(samples.findLastIndex(({ isFound }) => isFound) + 1);
      const notFound = samples.filter(({ isFound }) => !isFound);
      return {
        samples: samples.length,
        notFound: notFound.length,
        run: run.length,
        runSources: new Set(run.map(({ source }) => source)).size,
        notFoundKeys: notFound.map(({ key }) => key),
      };
    },
    clear: () => {
      samples = [];
    },
  };
}
