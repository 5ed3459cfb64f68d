/** One call that a provider answered definitely. */
export interface CallSample {
  /** The store key of the id. */
  readonly key: string;
  /** See callSourceOf. */
  readonly source: string;
  readonly isFound: boolean;
  readonly atMs: number;
}

/** The latest samples, in the order in which they came. */
interface NotFoundWindow {
  add(sample: CallSample): void;
  /** What the samples say at `nowMs`. */
  read(nowMs: number): NotFoundReading;
  clear(): void;
}

interface NotFoundReading {
  readonly samples: number;
  readonly notFound: number;
  /** Samples since the last one that was found, and how many sources they came from. */
  readonly run: number;
  readonly runSources: number;
  /** The store keys that were not found. */
  readonly notFoundKeys: readonly string[];
}

/** The window of the statistic: so many calls, and none older than this. */
const SAMPLES_MAX = 200;
const AGE_MS_MAX = 30_000;
/**
 * With less traffic than this in 30 s the latest samples stay although they are older: a service with ten
 * calls an hour has a wrong environment too.
 */
export const SAMPLES_MIN = 10;
/** One source is never more of the window than this: what it adds pushes out its own. */
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
