import type { Logger } from 'pino';
import type { OtlpTracer, TraceExport } from '../platform/otlp-tracer.ts';
import { createFindProxy, type ProxyEnvironment } from '../platform/proxy-rules.ts';

/** The part of the configuration that traces depend on. */
interface TraceSettings {
  /** Null exports nothing. */
  readonly traces: TraceExport | null;
  readonly proxy: ProxyEnvironment;
}

/**
 * A tracer, or null without a collector; OpenTelemetry is then not loaded. A collector that does not answer
 * is one log line, and nothing waits for it.
 */
export async function startTracer(
  { traces, proxy }: TraceSettings,
  version: string,
  logger: Logger,
): Promise<OtlpTracer | null> {
  if (traces === null) return null;
  const { createOtlpTracer } = await import('../platform/otlp-tracer.ts');
  return createOtlpTracer({
    ...traces,
    proxy: createFindProxy(proxy)(new URL(traces.url)),
    serviceName: 'riskgate',
    version,
    onExportChange: (code) => {
      if (code === null) logger.info({ event: 'traces.recovered' }, 'traces are exported again');
      else logger.warn({ event: 'traces.failed', code }, 'traces are not exported, and are lost');
    },
  });
}
