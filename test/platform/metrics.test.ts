import { setTimeout as delay } from 'node:timers/promises';
import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import t from 'tap';
import { createMetrics } from '../../src/platform/metrics.ts';
import { addProcessMetrics } from '../../src/platform/process-metrics.ts';
import { parseScrape, readValue } from '../support/scrape.ts';

t.test('scrapes a bound series as 0 until it is raised', async (t) => {
  const metrics = createMetrics();
  const count = metrics.counter('things_total', 'Things.');
  const good = count({ kind: 'good' });
  count({ kind: 'bad' });
  const before = parseScrape(metrics.text());
  t.strictSame(
    [readValue(before, 'things_total', { kind: 'good' }), readValue(before, 'things_total', { kind: 'bad' })],
    [0, 0],
  );
  good.value += 2;
  t.equal(readValue(parseScrape(metrics.text()), 'things_total', { kind: 'good' }), 2);
  t.equal(
    readValue(parseScrape(metrics.text()), 'things_total', { kind: 'good' }),
    2,
    'reading resets nothing',
  );
});

t.test('names type and help', async (t) => {
  const metrics = createMetrics();
  metrics.counter('things_total', 'Things.')({});
  metrics.histogram('wait_seconds', 'Waiting.', [1])({});
  metrics.sampled('gauge', 'level', 'Level.', () => []);
  const text = metrics.text();
  t.match(text, /^# HELP things_total Things\.\n# TYPE things_total counter\nthings_total 0\n/);
  t.match(text, /# TYPE wait_seconds histogram\n/);
  t.match(text, /# TYPE level gauge\n/);
  t.equal(metrics.contentType, 'text/plain; version=0.0.4; charset=utf-8');
});

t.test('counts an observation in every bucket that holds it, its own bound included', async (t) => {
  const metrics = createMetrics();
  const series = metrics.histogram('wait_seconds', 'Waiting.', [0.1, 0.5, 1])({ who: 'x' });
  for (const value of [0, 0.1, 0.100001, 0.5, 0.7, 1.5]) series.observe(value);
  const scrape = parseScrape(metrics.text());
  const bucket = (le: string) => readValue(scrape, 'wait_seconds_bucket', { who: 'x', le });
  t.strictSame([bucket('0.1'), bucket('0.5'), bucket('1'), bucket('+Inf')], [2, 4, 5, 6]);
  t.equal(readValue(scrape, 'wait_seconds_count', { who: 'x' }), 6);
  t.equal(readValue(scrape, 'wait_seconds_sum', { who: 'x' })?.toFixed(3), '2.900');
});

t.test('asks for samples at each scrape, and forgets those that are gone', async (t) => {
  const metrics = createMetrics();
  let hash = 'old';
  metrics.sampled('gauge', 'info', 'Info.', () => [{ labels: { hash }, value: 1 }]);
  t.equal(readValue(parseScrape(metrics.text()), 'info', { hash: 'old' }), 1);
  hash = 'new';
  const scrape = parseScrape(metrics.text());
  t.strictSame(scrape.get('info'), [{ labels: { hash: 'new' }, value: 1 }]);
});

t.test('escapes what would end a label', async (t) => {
  const metrics = createMetrics();
  metrics.sampled('gauge', 'info', 'Info.', () => [{ labels: { id: 'a"b\\c\nd' }, value: 1 }]);
  t.match(metrics.text(), 'info{id="a\\"b\\\\c\\nd"} 1\n');
});

t.test('escapes what would end a help text, in which quotes stand as they are', async (t) => {
  const metrics = createMetrics();
  metrics.sampled('gauge', 'info', 'a "b" c\\d\ne', () => []);
  t.equal(metrics.text(), '# HELP info a "b" c\\\\d\\ne\n# TYPE info gauge\n');
});

t.test('is read by the parser of somebody else as it was meant', async (t) => {
  const metrics = createMetrics();
  const id = 'a"b\\c\nd,e="f"} 7';
  const samples = [
    { labels: { id, kind: 'x' }, value: 0.25 },
    { labels: { id: '' }, value: Infinity },
    { labels: { id: '-' }, value: -Infinity },
    { labels: { id: 'none' }, value: NaN },
  ];
  metrics.sampled('gauge', 'info', 'C:\\new\nline', () => samples);
  metrics.histogram('wait_seconds', 'Waiting.', [0.0000001, 2.5])({}).observe(2.5);
  metrics.counter('things_total', 'Things.')({}).value = 1e21;
  t.same(parsePrometheusTextFormat(metrics.text()), [
    {
      name: 'info',
      help: 'C:\\new\nline',
      type: 'GAUGE',
      metrics: [
        { labels: { id, kind: 'x' }, value: '0.25' },
        { labels: { id: '' }, value: '+Inf' },
        { labels: { id: '-' }, value: '-Inf' },
        { labels: { id: 'none' }, value: 'NaN' },
      ],
    },
    {
      name: 'wait_seconds',
      help: 'Waiting.',
      type: 'HISTOGRAM',
      metrics: [{ buckets: { '1e-7': '0', '2.5': '1', '+Inf': '1' }, sum: '2.5', count: '1' }],
    },
    { name: 'things_total', help: 'Things.', type: 'COUNTER', metrics: [{ value: '1e+21' }] },
  ]);
});

t.test('refuses a name that is taken', async (t) => {
  const metrics = createMetrics();
  metrics.counter('things_total', 'Things.');
  t.throws(() => metrics.counter('things_total', 'Other things.'), /is registered already/);
});

t.test('reads the process when it is scraped', async (t) => {
  const metrics = createMetrics();
  const close = addProcessMetrics(metrics, 'x');
  t.teardown(close);
  const scrape = parseScrape(metrics.text());
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ]) {
    t.ok(Number(readValue(scrape, name)) > 0, name);
  }
  t.ok(Math.abs(Number(readValue(scrape, 'process_start_time_seconds')) - Date.now() / 1000) < 60);
});

t.test('shows how long the event loop stood still, once', async (t) => {
  const metrics = createMetrics();
  t.teardown(addProcessMetrics(metrics, 'x'));
  const longest = async () =>
    readValue(parseScrape(metrics.text()), 'x_event_loop_delay_seconds', { stat: 'max' });
  t.equal(await longest(), 0, 'not a number is never shown');
  // The monitor's ticks are 20 ms apart, and a delay is what lies between two of them.
  await delay(50);
  const endsAtMs = performance.now() + 100;
  while (performance.now() < endsAtMs);
  await delay(50);
  t.ok(Number(await longest()) > 0.05);
  t.equal(await longest(), 0, 'a scrape starts it over');
});
