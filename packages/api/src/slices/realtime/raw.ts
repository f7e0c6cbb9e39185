import { z } from 'zod';
import { ApiError } from '../../contract/errors.ts';
import { rawRoute } from '../../wire/raw-route.ts';

/** The socket's address without an upgrade: from a browser's address bar, or through a proxy that drops the header. */
export const upgradeRequired = rawRoute({
  name: 'ws.realtime',
  meta: {
    access: 'public',
    openapi: {
      method: 'GET',
      path: '/ws/realtime',
      tags: ['Realtime'],
      summary: 'Open the realtime socket',
      description: 'As a WebSocket: see the guide about realtime.',
      enabled: false,
    },
    example: {},
  },
  input: z.strictObject({ ticket: z.string().max(200).optional(), token: z.string().max(5000).optional() }), // as the socket takes
  answer: { type: 'application/json', schema: z.object({}) },
  async serve({ responseHeaders }) {
    responseHeaders['Upgrade'] = 'websocket';
    responseHeaders['Connection'] = 'Upgrade';
    throw new ApiError('upgrade_required');
  },
});
