import { socketAddress } from './service/socket-address.ts';

export const upgradeRequired = socketAddress({
  name: 'ws.realtime',
  path: '/ws/realtime',
  tags: ['Realtime'],
  summary: 'Open the realtime socket',
});
