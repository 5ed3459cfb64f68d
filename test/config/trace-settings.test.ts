import t from 'tap';
import { readTraces, type TraceConfig } from '../../src/config/trace-settings.ts';

const COLLECTOR = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

interface Read {
  readonly traces: TraceConfig | null;
  readonly mistakes: readonly string[];
  readonly ignored: readonly string[];
}

function read(env: Record<string, string>): Read {
  const mistakes: string[] = [];
  const ignored: string[] = [];
  const traces = readTraces(
    env,
    (mistake) => mistakes.push(mistake),
    ({ variable }) => ignored.push(variable),
  );
  return { traces, mistakes, ignored };
}

t.test('without an endpoint no variable of OpenTelemetry is read', (t) => {
  const odd = {
    OTEL_TRACES_SAMPLER_ARG: 'many',
    OTEL_TRACES_SAMPLER: 'jaeger_remote',
    OTEL_SDK_DISABLED: 'perhaps',
  };
  t.same(read(odd), { traces: null, mistakes: [], ignored: [] });
  t.same(read({ ...odd, OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }), { traces: null, mistakes: [], ignored: [] });
  t.end();
});

t.test('adds the path to the common endpoint alone, and prefers that of traces', (t) => {
  const urlOf = (env: Record<string, string>) => read(env).traces?.url;
  t.equal(urlOf(COLLECTOR), 'http://collector:4318/v1/traces');
  t.equal(
    urlOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/base/' }),
    'https://collector/base/v1/traces',
  );
  const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4318/intake' };
  t.equal(urlOf({ ...COLLECTOR, ...own }), 'http://traces:4318/intake');
  t.equal(urlOf({ ...COLLECTOR, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' }), 'http://collector:4318/v1/traces');
  t.match(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }).mistakes, [
    /^OTEL_EXPORTER_OTLP_ENDPOINT must be/,
  ]);
  const wrong = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'grpc://x' };
  t.match(read({ ...COLLECTOR, ...wrong }).mistakes, [/^OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be/]);
  t.end();
});

t.test('knows the samplers of the specification, by any case', (t) => {
  const samplerOf = (name: string) => read({ ...COLLECTOR, OTEL_TRACES_SAMPLER: name }).traces?.sampler;
  t.same(samplerOf(''), { isParentBased: true, share: 1 });
  t.same(samplerOf('always_on'), { isParentBased: false, share: 1 });
  t.same(samplerOf('always_off'), { isParentBased: false, share: 0 });
  t.same(samplerOf('PARENTBASED_ALWAYS_OFF'), { isParentBased: true, share: 0 });
  t.same(samplerOf('traceidratio'), { isParentBased: false, share: 1 });
  const remote = read({ ...COLLECTOR, OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote' });
  t.same(remote.traces?.sampler, { isParentBased: true, share: 1 });
  t.same(remote.ignored, ['OTEL_TRACES_SAMPLER']);
  t.end();
});

t.test('reads the argument of the samplers that have one, however it is written', (t) => {
  const ratio = { ...COLLECTOR, OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' };
  for (const [text, share] of [
    ['.5', 0.5],
    ['0.25', 0.25],
    ['1', 1],
    ['1.', 1],
    ['1e-3', 0.001],
    ['0', 0],
    ['', 1],
  ] as const) {
    const { traces, ignored } = read({ ...ratio, OTEL_TRACES_SAMPLER_ARG: text });
    t.same(traces?.sampler, { isParentBased: true, share }, text);
    t.same(ignored, [], text);
  }
  for (const text of ['1.5', '-0.1', 'half', '0x1', 'NaN', 'Infinity', '0,5', '.']) {
    const { traces, ignored } = read({ ...ratio, OTEL_TRACES_SAMPLER_ARG: text });
    t.same(traces?.sampler, { isParentBased: true, share: 1 }, text);
    t.same(ignored, ['OTEL_TRACES_SAMPLER_ARG'], text);
  }
  const other = read({ ...COLLECTOR, OTEL_TRACES_SAMPLER_ARG: 'endpoint=http://x,pollingIntervalMs=5000' });
  t.same(other, { traces: read(COLLECTOR).traces, mistakes: [], ignored: ['OTEL_TRACES_SAMPLER_ARG'] });
  t.end();
});

t.test('is off where OpenTelemetry or its exporter is', (t) => {
  t.same(read({ ...COLLECTOR, OTEL_SDK_DISABLED: 'TRUE' }), { traces: null, mistakes: [], ignored: [] });
  t.same(read({ ...COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }), { traces: null, mistakes: [], ignored: [] });
  const odd = read({ ...COLLECTOR, OTEL_SDK_DISABLED: '1', OTEL_TRACES_EXPORTER: 'zipkin' });
  t.same(odd.traces, read(COLLECTOR).traces);
  t.same(odd.ignored, ['OTEL_SDK_DISABLED', 'OTEL_TRACES_EXPORTER']);
  t.same(read({ ...COLLECTOR, OTEL_TRACES_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'false' }).ignored, []);
  t.end();
});
