import type { Env } from '@rentapi/platform/env';
import type { Party } from '../schemas.ts';

/** Who sells, as the settings say it now. */
export function sellerOf(env: Env): Party {
  const lines = (env.SELLER_ADDRESS ?? '').split(';').flatMap((line) => line.trim() || []);
  const country = env.SELLER_COUNTRY ?? null;
  return {
    name: env.SELLER_NAME ?? new URL(env.PUBLIC_URL).host,
    address: lines.length > 0 || country !== null ? { lines, country } : null,
    taxId: env.SELLER_TAX_ID ?? null,
  };
}
