import { NoInput } from '../../contract/words.ts';
import { procedure, router } from '../../procedure.ts';
import { Ticket } from './schemas.ts';
import { issueTicket } from './service.ts';

export const ws = router({
  ticket: procedure({
    access: 'userOrKey',
    openapi: {
      method: 'POST',
      path: '/ws/ticket',
      tags: ['Realtime'],
      summary: 'Get a ticket for the realtime socket',
      description: 'Works once, for 30 seconds, so that no lasting credential stands in a URL.',
    },
    idempotency: false,
    audit: { none: 'opens a connection and changes nothing' },
    example: { output: { ticket: 'dGlja2V0LXRoYXQtd29ya3Mtb25jZS1hbmQtYnJpZWZseS4', expiresIn: 30 } },
  })
    .input(NoInput)
    .output(Ticket)
    .mutation(({ ctx }) => issueTicket(ctx)),
});
