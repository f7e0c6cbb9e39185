import { purgeJob } from '../../data/purge.ts';

export const purgeTwoFactor = purgeJob('two_factor.purge', [
  { table: 'sign_in_challenges', column: 'expires_at', keptMs: 0 },
  { table: 'trusted_devices', column: 'expires_at', keptMs: 0 },
]);
