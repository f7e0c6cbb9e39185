import type { Span } from '@opentelemetry/api';

/** The caller's trace: the W3C headers of a request. */
export interface TraceHeaders {
  traceparent: string | undefined;
  tracestate: string | undefined;
}

export interface Tracer {
  /** Begins the span of one call, under the caller's trace where there is one. The caller ends it. */
  start(name: string, headers: TraceHeaders, attributes: Record<string, string>): Span;
  /** Sends the spans that are still queued. */
  close(): Promise<void>;
}

/** A collector that is down delays the stop by this long, and nothing else. */
const EXPORT_TIMEOUT_MS = 5000;

/**
 * Spans, sent in batches to an OpenTelemetry collector over OTLP/HTTP. The packages are loaded here, so that a process
 * without a collector does not load them.
 */
export async function openTracer(options: { endpoint: string; service: string; version: string }): Promise<Tracer> {
  const [api, core, sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({ url: `${options.endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new sdk.BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.version': options.version }),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter, { exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  const tracer = provider.getTracer(options.service, options.version);
  const propagator = new core.W3CTraceContextPropagator();

  return {
    start(name, headers, attributes) {
      const parent = headers.traceparent
        ? propagator.extract(api.ROOT_CONTEXT, headers, api.defaultTextMapGetter)
        : api.ROOT_CONTEXT;
      return tracer.startSpan(name, { kind: api.SpanKind.SERVER, attributes }, parent);
    },
    // Without a collector the spans are lost, which must not make a stop fail.
    close: () => provider.shutdown().catch(() => {}),
  };
}
