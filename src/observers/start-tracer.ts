import type { Logger } from 'pino';
import type { OtlpTracer } from '../platform/otlp-tracer.ts';

/** The part of the configuration that traces depend on. */
export interface TraceSettings {
  /** The base URL of the collector; null exports nothing. */
  readonly traceEndpoint: string | null;
  /** Of the traces that no caller began, the share that is recorded. */
  readonly traceShare: number;
}

/** A tracer, or null without a collector: then OpenTelemetry is not even loaded. A collector that does not answer is a line in the log, and nothing waits for it. */
export async function startTracer(
  { traceEndpoint, traceShare }: TraceSettings,
  version: string,
  logger: Logger,
): Promise<OtlpTracer | null> {
  if (traceEndpoint === null) return null;
  const { createOtlpTracer } = await import('../platform/otlp-tracer.ts');
  return createOtlpTracer({
    endpoint: traceEndpoint,
    share: traceShare,
    serviceName: 'riskgate',
    version,
    onExportChange: (code) => {
      if (code === null) logger.info({ event: 'traces.recovered' }, 'traces are exported again');
      else logger.warn({ event: 'traces.failed', code }, 'traces are not exported, and are lost');
    },
  });
}
