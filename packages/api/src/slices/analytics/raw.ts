import { socketAddress } from '../realtime/service/socket-address.ts';
import { Environment } from './schemas.ts';

export const analyticsSocket = socketAddress({
  name: 'ws.analytics',
  path: '/ws/analytics',
  tags: ['Analytics'],
  summary: 'Open the socket of live numbers',
  query: { environment: Environment },
});
