import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ports } from '@rentapi/api/context';
import { ApiError } from '@rentapi/api/contract/errors';
import { measureDatabase } from '@rentapi/api/pipeline/observe-metrics';
import { measureProcess } from '@rentapi/platform/metrics';
import { sameBytes } from '@rentapi/platform/secrets';
import { isLocal } from '../pages/local-only.ts';

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
  const given = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  // Digests have one length, so the comparison does not reveal the token's.
  const detail = 'Send METRICS_TOKEN as `Authorization: Bearer …`.';
  if (given === undefined) throw new ApiError('credentials_required', { detail });
  if (!sameBytes(digest(given), digest(token))) throw new ApiError('invalid_access_token', { detail });
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
