import { purgeJob } from '../../data/purge.ts';

export const purgeMessages = purgeJob('chat.purge_messages', [
  { table: 'chat_messages', column: 'created_at', keptMs: 90 * 86_400_000 },
]);
