import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  invalid_ticket: {
    status: 401,
    title: 'Invalid ticket',
    fix: 'Get a new ticket from POST /api/v1/ws/ticket; each works once, for 30 seconds.',
  },
  upgrade_required: {
    status: 426,
    title: 'WebSocket required',
    fix: 'Open this address as a WebSocket, with `Upgrade: websocket`; if you do, a proxy on the way drops that header.',
  },
} as const satisfies ErrorRows;
