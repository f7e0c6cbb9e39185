import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  credential_in_url: {
    status: 400,
    title: 'Credential in the URL',
    fix: 'Get a ticket from POST /api/v1/ws/ticket and send it as `?ticket=`, or send the token in the first message: URLs are kept in logs.',
  },
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
