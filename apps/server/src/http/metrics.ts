import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ports } from '@rentapi/api/context';
import { ApiError } from '@rentapi/api/contract/errors';
import { measureDatabase } from '@rentapi/api/pipeline/observe-metrics';
import { bearerOf, bringsToken } from '@rentapi/api/wire/bearer-token';
import { isLocal } from '@rentapi/api/wire/local-only';
import { measureProcess } from '@rentapi/platform/metrics';

/**
 * `GET /metrics` in Prometheus' text format, for requests with METRICS_TOKEN; without that setting, for requests from
 * this machine. Throws `ApiError` for all others.
 */
export function createMetricsHandler(ports: Ports): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const { registry } = ports.metrics;
  measureProcess(registry);
  measureDatabase(ports.metrics, ports.database, ports.log);

  return async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      throw new ApiError('method_not_allowed');
    }
    assertReader(req, ports.env.METRICS_TOKEN);
    const body = await registry.metrics();
    res.setHeader('Content-Type', registry.contentType);
    res.setHeader('Cache-Control', 'no-store');
    res.end(body);
  };
}

function assertReader(req: IncomingMessage, token: string | undefined): void {
  if (token === undefined) {
    if (isLocal(req)) return;
    throw new ApiError('permission_denied', {
      detail: 'Without METRICS_TOKEN, metrics are read on the machine itself only.',
    });
  }
  const { authorization } = req.headers;
  const detail = 'Send METRICS_TOKEN as `Authorization: Bearer …`.';
  if (!bearerOf(authorization)) throw new ApiError('credentials_required', { detail });
  if (!bringsToken(authorization, token)) throw new ApiError('invalid_access_token', { detail });
}
