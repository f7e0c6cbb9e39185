import { purgeJob } from '../../data/purge.ts';

/** Until then, a program with an earlier secret learns that its key was rotated, and not only that it is unknown. */
const KNOWN_AS_ROTATED_MS = 90 * 86_400_000;

export const purgeOldSecrets = purgeJob('api_keys.purge_old_secrets', [
  { table: 'api_key_old_secrets', column: 'expires_at', keptMs: KNOWN_AS_ROTATED_MS },
]);
