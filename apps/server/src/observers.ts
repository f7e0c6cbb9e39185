import type { Ports } from '@rentapi/api/context';
import type { Env } from '@rentapi/platform/env';
import { openErrorReporter } from '@rentapi/platform/error-reporting';
import { openTracer } from '@rentapi/platform/tracing';
import { VERSION } from './version.ts';

/** Traces and error reports, if they are configured. */
export async function openObservers(env: Env): Promise<Pick<Ports, 'tracer' | 'errors'>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, SENTRY_DSN: dsn, NODE_ENV: environment } = env;
  const [tracer, errors] = await Promise.all([
    endpoint ? openTracer({ endpoint, service: 'rentapi', version: VERSION }) : null,
    dsn ? openErrorReporter({ dsn, release: VERSION, environment }) : null,
  ]);
  return { tracer, errors };
}
