import { networkOf } from '@rentapi/platform/ip';
import type { Context } from '../../../context.ts';
import { record } from '../../../events/record.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import type { UserModel } from '../../users/model.ts';
import { deviceOf } from '../device.ts';
import { NewDeviceUsed } from '../events.ts';

const DAY_MS = 86_400_000;
/** A network that the account signed in from within this time has a lockout of its own. */
export const NETWORK_KNOWN_MS = 30 * DAY_MS;
/** A device or network is new if the account did not sign in with it for this long. */
export const DEVICE_KNOWN_MS = 365 * DAY_MS;

interface Known {
  any: boolean;
  device: boolean;
  network: boolean;
}

/** At each sign-in, in its transaction: remembers the source, and notifies the owner of a new one. */
export async function noteSignIn(ctx: Context, user: UserModel): Promise<void> {
  const { ip } = ctx.request;
  const device = deviceOf(ctx.request.userAgent).name;
  const since = new Date(ctx.now.getTime() - DEVICE_KNOWN_MS);
  const { rows } = await ctx.db.raw<{ rows: Known[] }>(
    `with source as (select ?::bigint as user_id, ?::text as network, ?::text as device, ?::timestamptz as now),
     noted as (
       insert into sign_in_sources select user_id, network, device, now from source
       on conflict (user_id, network, device) do update set used_at = excluded.used_at
     )
     select count(s) > 0 as any, coalesce(bool_or(s.device = source.device), false) as device,
            coalesce(bool_or(s.network = source.network), false) as network
     from source left join sign_in_sources s on s.user_id = source.user_id and s.used_at > ?`,
    [user.id, networkOf(ip), device, ctx.now, since],
  );
  const known = rows[0]!;
  // Nothing is known of an account that was just made: its first sign-in is no news.
  const isNew = known.any ? !(known.device && known.network) : ctx.now.getTime() - user.createdAt.getTime() > DAY_MS;
  if (!isNew) return;
  await recordSecurityEvent(ctx, 'new_device', { userId: user.id, details: { device } });
  await record(ctx, NewDeviceUsed, { target: user, data: { ...user.present(ctx.ids), device, ip } });
}
