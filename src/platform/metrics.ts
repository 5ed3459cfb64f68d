/** Label values by label name. */
export type MetricLabels = Readonly<Record<string, string>>;

/**
 * One time series of a counter. Raising `value` is all that a hot path does; it is read when somebody
 * scrapes.
 */
export interface CounterSeries {
  value: number;
}

/** One series of buckets. */
interface HistogramSeries {
  observe(value: number): void;
}

/** A value that exists anyway and is only asked for when somebody scrapes. */
export interface Sample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/**
 * Metrics whose label sets are bound once, when the service starts: observing one hashes no labels and
 * allocates nothing.
 */
export interface Metrics {
  /**
   * Bind each label set once: two bindings of one are two series of the same name. A bound series is scraped
   * as 0 until it is raised.
   */
  counter(name: string, help: string): (labels: MetricLabels) => CounterSeries;
  /** `bounds` ascend; the bucket of everything above the last is added. */
  histogram(name: string, help: string, bounds: readonly number[]): (labels: MetricLabels) => HistogramSeries;
  /** A metric whose samples are asked for at each scrape: what `read` no longer returns is gone. */
  sampled(type: 'gauge' | 'counter', name: string, help: string, read: () => readonly Sample[]): void;
  /** The content type of `text`. */
  readonly contentType: string;
  /** Every metric in the Prometheus text format 0.0.4. */
  text(): string;
}

/** A line of the text format; `suffix` is what a histogram adds to its name. */
interface Line extends Sample {
  readonly suffix?: string;
}

/** What a scrape prints of one metric. */
interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly read: () => readonly Line[];
}

/** Builds an empty registry. A name that is taken throws. */
export function createMetrics(): Metrics {
  const registered = new Map<string, Metric>();
  const register = (type: Metric['type'], name: string, help: string, read: Metric['read']) => {
    if (registered.has(name)) throw new Error(`the metric ${name} is registered already`);
    registered.set(name, { type, help, read });
  };
  return {
    counter: (name, help) => {
      const bound: (CounterSeries & Sample)[] = [];
      register('counter', name, help, () => bound);
      return (labels) => {
        const series = { labels, value: 0 };
        bound.push(series);
        return series;
      };
    },
    histogram: (name, help, bounds) => {
      const bound: Buckets[] = [];
      register('histogram', name, help, () => bound.flatMap((buckets) => buckets.toLines()));
      return (labels) => {
        const series = new Buckets(labels, bounds);
        bound.push(series);
        return series;
      };
    },
    sampled: register,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text: () => [...registered].map(([name, metric]) => toText(name, metric)).join(''),
  };
}

/**
 * One metric in the text format:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
function toText(name: string, { type, help, read }: Metric): string {
  const head = `# HELP ${name} ${escapeText(help)}\n# TYPE ${name} ${type}\n`;
  const lines = read().map(
    ({ suffix = '', labels, value }) => `${name}${suffix}${toLabelText(labels)} ${toNumberText(value)}\n`,
  );
  return head + lines.join('');
}

function toLabelText(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(
    ([label, value]) => `${label}="${escapeText(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** The format spells infinite numbers otherwise than JavaScript. */
function toNumberText(value: number): string {
  return value === Infinity ? '+Inf' : String(value).replace('Infinity', 'Inf');
}

class Buckets implements HistogramSeries {
  readonly #labels: MetricLabels;
  readonly #bounds: readonly number[];
  /** Observations by the first bound that holds them; the last place is for those beyond all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(labels: MetricLabels, bounds: readonly number[]) {
    this.#labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let place = 0;
    // Most observations fall into the first buckets: a search by halves would be slower.
    while (place < bounds.length && value > (bounds[place] ?? 0)) place += 1;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += value;
  }

  toLines(): Line[] {
    const labels = this.#labels;
    let total = 0;
    const lines: Line[] = [...this.#counts].map((count, place) => {
      total += count;
      const le = String(this.#bounds[place] ?? '+Inf');
      return { suffix: '_bucket', labels: { ...labels, le }, value: total };
    });
    lines.push({ suffix: '_sum', labels, value: this.#sum });
    lines.push({ suffix: '_count', labels, value: total });
    return lines;
  }
}
