import { type Metric, Registry } from 'prom-client';

export type MetricLabels = Readonly<Record<string, string>>;

/** One time series of a counter. Raising `value` is all that a hot path does; it is read when somebody scrapes. */
export interface CounterSeries {
  value: number;
}

/** One series of buckets. */
export interface HistogramSeries {
  observe(value: number): void;
}

/** A value that exists anyway and is only asked for when somebody scrapes. */
export interface Sample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** Metrics whose label sets are bound once, when the service starts: observing one hashes no labels and allocates nothing. */
export interface Metrics {
  /** Bind each label set once: two bindings of one are two series of the same name. A bound series is scraped as 0 until it is raised. */
  counter(name: string, help: string): (labels: MetricLabels) => CounterSeries;
  /** `bounds` ascend; the bucket of everything above the last is added. */
  histogram(name: string, help: string, bounds: readonly number[]): (labels: MetricLabels) => HistogramSeries;
  /** A metric whose samples are asked for at each scrape: what `read` no longer returns is gone. */
  sampled(type: 'gauge' | 'counter', name: string, help: string, read: () => readonly Sample[]): void;
  /** The content type of `text`. */
  readonly contentType: string;
  /** Every metric in the Prometheus text format 0.0.4. */
  text(): Promise<string>;
}

/** A line of the text format; `metricName` where it is not the metric's own name. */
interface Line extends Sample {
  readonly metricName?: string;
}

/** Builds an empty registry. A name that is taken throws. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const register = (type: string, name: string, help: string, read: () => readonly Line[]) => {
    const metric = { name, help, type, aggregator: 'sum' };
    const get = async () => ({ ...metric, values: read() });
    // The library's own classes hash the labels of every observation (0.5 to 0.9 µs, against 0.03 µs here).
    // To print a metric its registry needs a name and `get` and nothing else of what the type asks for.
    registry.registerMetric({ ...metric, get } as unknown as Metric);
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
      register('histogram', name, help, () => bound.flatMap((buckets) => buckets.toLines(name)));
      return (labels) => {
        const series = new Buckets(labels, bounds);
        bound.push(series);
        return series;
      };
    },
    sampled: register,
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
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

  toLines(name: string): Line[] {
    const labels = this.#labels;
    let total = 0;
    const lines: Line[] = [...this.#counts].map((count, place) => {
      total += count;
      const le = String(this.#bounds[place] ?? '+Inf');
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
    });
    lines.push({ metricName: `${name}_sum`, labels, value: this.#sum });
    lines.push({ metricName: `${name}_count`, labels, value: total });
    return lines;
  }
}
