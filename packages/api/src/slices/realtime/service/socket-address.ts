import { z } from 'zod';
import { ApiError } from '../../../contract/errors.ts';
import type { ProcedureMeta } from '../../../contract/meta.ts';
import { type RawRoute, rawRoute } from '../../../wire/raw-route.ts';

interface SocketAddress extends Pick<ProcedureMeta['openapi'], 'path' | 'tags' | 'summary'> {
  name: string;
  query?: z.ZodRawShape;
}

/** A socket's address without an upgrade: from a browser's address bar, or through a proxy that drops the header. */
export function socketAddress({ name, query, ...openapi }: SocketAddress): RawRoute {
  return rawRoute({
    name,
    meta: {
      access: 'public',
      openapi: { method: 'GET', ...openapi, description: 'As a WebSocket: see the guide.', enabled: false },
      example: {},
    },
    // As the socket takes.
    input: z.strictObject({ ticket: z.string().max(200).optional(), token: z.string().max(5000).optional(), ...query }),
    answer: { type: 'application/json', schema: z.object({}) },
    async serve({ responseHeaders }) {
      responseHeaders['Upgrade'] = 'websocket';
      responseHeaders['Connection'] = 'Upgrade';
      throw new ApiError('upgrade_required');
    },
  });
}
