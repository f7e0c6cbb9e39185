import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  credential_in_url: {
    status: 400,
    title: 'Credential in the URL',
    meaning:
      'This server takes no access token or API key in an address, because addresses are kept in logs and histories.',
    retry: 'no',
    fix: 'Get a ticket from POST /api/v1/ws/ticket and send it as `?ticket=`, or send the token in the first message: URLs are kept in logs.',
  },
  invalid_ticket: {
    status: 401,
    title: 'Invalid ticket',
    meaning: 'The ticket was used, is older than 30 seconds, or was never given out.',
    fix: 'Get a new ticket from POST /api/v1/ws/ticket; each works once, for 30 seconds.',
    retry: 'no',
  },
  upgrade_required: {
    status: 426,
    title: 'WebSocket required',
    meaning: 'The address is a WebSocket, and the request did not ask for one.',
    fix: 'Open this address as a WebSocket, with `Upgrade: websocket`; if you do, a proxy on the way drops that header.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
