import { z } from 'zod';
import { id } from '../../contract/ids.ts';
import { socketAddress } from '../realtime/service/socket-address.ts';

export const organizationSocket = socketAddress({
  name: 'ws.organization',
  path: '/ws/organizations/{orgId}',
  tags: ['Chat'],
  summary: 'Open the socket of an organization',
  query: {
    orgId: id('org'),
    lastEventId: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'Also what has happened after this event; empty is the position before the first.' }),
  },
});
