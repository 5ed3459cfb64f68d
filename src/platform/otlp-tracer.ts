/** Loaded only where traces are exported: nothing else imports it, and it alone imports OpenTelemetry. */
import {
  type Span as OtelSpan,
  type Tracer as OtelTracer,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

/** One timed step. `traceparent` makes the receiver of the header a child of it. */
interface OtlpSpan {
  readonly traceparent: string;
  child(name: string, kind: 'internal' | 'client'): OtlpSpan;
  end(attributes: Readonly<Record<string, string | number | boolean | string[]>>, hasFailed?: boolean): void;
}

/** Makes spans and sends them to a collector by OTLP. */
export interface OtlpTracer {
  /**
   * A server span, below the one that `traceparent` (W3C Trace Context) names; a new trace when that is
   * absent or ill-formed.
   */
  start(name: string, traceparent: string | undefined): OtlpSpan;
  /** Sends what is left and gives up after two seconds. Never rejects. */
  close(): Promise<void>;
}

/** Where traces go, and which. */
export interface TraceExport {
  /** Where traces are posted to, whole. */
  readonly url: string;
  readonly sampler: {
    /** Whether a caller that began a trace says for itself whether it is recorded. */
    readonly isParentBased: boolean;
    /** Of the others, the share that is recorded: 0 to 1. */
    readonly share: number;
  };
}

interface OtlpTracerOptions extends TraceExport {
  /** Through which the collector is reached; null is directly. */
  readonly proxy: URL | null;
  readonly serviceName: string;
  readonly version: string;
  /** Called when exports begin to fail, with an error code, and with null when they succeed again. */
  readonly onExportChange: (code: string | null) => void;
}

/** A collector that does not answer by then is not waited for, so that a deploy is not held up by it. */
const CLOSE_WAIT_MS = 2_000;
/** Of one batch, its retries included. Meanwhile at most 2048 spans queue; those beyond are dropped. */
const EXPORT_TIMEOUT_MS = 5_000;
const SPAN_KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;

/**
 * Builds a tracer that exports batches in the background and never waits for them. Nothing global is
 * registered or patched.
 */
export function createOtlpTracer(options: OtlpTracerOptions): OtlpTracer {
  const { url, sampler, proxy, serviceName, version, onExportChange } = options;
  const root = new TraceIdRatioBasedSampler(sampler.share);
  const own = resourceFromAttributes({ 'service.name': serviceName, 'service.version': version });
  const exporter = watchExports(
    new OTLPTraceExporter({
      url,
      timeoutMillis: EXPORT_TIMEOUT_MS,
      httpAgentOptions: { keepAlive: true, ...(proxy !== null && { proxyEnv: toProxyEnv(proxy) }) },
    }),
    onExportChange,
  );
  const provider = new TracerProvider({
    resource: own.merge(detectResources({ detectors: [envDetector] })),
    sampler: sampler.isParentBased ? new ParentBasedSampler({ root }) : root,
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  const tracer = provider.getTracer(serviceName, version);
  return {
    start: (name, traceparent) => {
      const caller = traceparent === undefined ? null : parseTraceParent(traceparent);
      const parent =
        caller === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: true });
      return toSpan(tracer, tracer.startSpan(name, { kind: SpanKind.SERVER }, parent));
    },
    close: () => withinCloseWait(provider.shutdown()),
  };
}

/** For Node's own agent, which asks the same variables of whichever scheme. */
function toProxyEnv({ href }: URL): NodeJS.Dict<string> {
  return { HTTP_PROXY: href, HTTPS_PROXY: href };
}

function toSpan(tracer: OtelTracer, span: OtelSpan): OtlpSpan {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`,
    child: (name, kind) => {
      const parent = trace.setSpan(ROOT_CONTEXT, span);
      return toSpan(tracer, tracer.startSpan(name, { kind: SPAN_KINDS[kind] }, parent));
    },
    end: (attributes, hasFailed = false) => {
      span.setAttributes(attributes);
      if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/**
 * The library keeps failures to itself. Only their beginning and their end are told, so that a collector that
 * is down is one line.
 */
function watchExports(exporter: SpanExporter, onChange: (code: string | null) => void): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const hasFailed = result.code === ExportResultCode.FAILED;
        if (hasFailed !== isFailing) onChange(hasFailed ? codeOf(result) : null);
        isFailing = hasFailed;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

/** A collector's status or a socket's code; never its text, which is not ours. */
function codeOf({ error }: ExportResult): string {
  const code: unknown = error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? String(code) : (error?.name ?? 'unknown');
}

async function withinCloseWait(work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CLOSE_WAIT_MS);
  try {
    await Promise.race([work, late]);
  } catch {
    // The last batch was refused or lost, which onExportChange has told.
  }
  clearTimeout(timer);
}
