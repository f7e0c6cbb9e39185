import { z } from 'zod';
import { ApiError } from '../../../contract/errors.ts';
import type { ProcedureMeta } from '../../../contract/meta.ts';
import { type RawRoute, rawRoute } from '../../../wire/raw-route.ts';

interface SocketAddress extends Pick<ProcedureMeta['openapi'], 'path' | 'tags' | 'summary'> {
  name: string;
  query?: z.ZodRawShape;
}

const Ticket = z.string().max(200).meta({ description: 'From `POST /api/v1/ws/ticket`: works once, for 30 seconds.' });
const Token = z
  .string()
  .max(5000)
  .meta({ description: 'An access token or an API key, where `REALTIME_TOKEN_IN_URL` allows it.' });

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
    input: z.strictObject({ ticket: Ticket.optional(), token: Token.optional(), ...query }),
    answer: { type: 'application/json', schema: z.object({}) },
    async serve({ responseHeaders }) {
      responseHeaders['Upgrade'] = 'websocket';
      responseHeaders['Connection'] = 'Upgrade';
      throw new ApiError('upgrade_required');
    },
  });
}
