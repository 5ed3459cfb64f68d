/** One sample of a scrape: its labels as they are written, and its value. */
export interface ScrapedSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A scrape by metric name. */
export type Scrape = ReadonlyMap<string, readonly ScrapedSample[]>;

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"(?:,|$)/y;

/** Reads the Prometheus text format 0.0.4, and throws on the first line that is none of it. */
export function parseScrape(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('a scrape ends with a line feed');
  const samples = new Map<string, ScrapedSample[]>();
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-zA-Z_:]\w* \S/.test(line)) continue;
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || Number.isNaN(Number(value?.replace('Inf', 'Infinity')))) {
      throw new Error(`not a line of a scrape: ${line}`);
    }
    samples.set(name, [...(samples.get(name) ?? []), { labels: parseLabels(labels), value: Number(value) }]);
  }
  return samples;
}

/** The value of the one sample with these labels, others allowed; undefined without one. */
export function readValue(
  scrape: Scrape,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = (scrape.get(name) ?? []).filter((sample) =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} samples of ${name} match`);
  return found[0]?.value;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not labels: ${text}`);
    labels[name] = value;
  }
  return labels;
}
