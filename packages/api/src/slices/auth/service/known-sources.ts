import type { Call, Statement } from '@rentapi/platform/database';
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

/** What the account signed in with before. */
export interface KnownSource {
  any: boolean;
  device: boolean;
  network: boolean;
}

const NOTE_SOURCE: Statement = {
  name: 'note_sign_in_source',
  text: `
    with noted as (
      insert into sign_in_sources (user_id, network, device, used_at) values ($1, $2, $3, $4)
      on conflict (user_id, network, device) do update set used_at = excluded.used_at
    )
    select count(*) > 0 as any, coalesce(bool_or(device = $3), false) as device,
           coalesce(bool_or(network = $2), false) as network
    from sign_in_sources where user_id = $1 and used_at > $5`,
};

const deviceName = ({ request }: Context): string => deviceOf(request.userAgent).name;

/** The statement of each sign-in that remembers its source, and says what was known before. */
export const notingSource = (ctx: Context, userId: number): Call => [
  NOTE_SOURCE,
  [userId, networkOf(ctx.request.ip), deviceName(ctx), ctx.now, new Date(ctx.now.getTime() - DEVICE_KNOWN_MS)],
];

/** Notifies the owner of a device or network that is new, in the transaction of the sign-in. */
export async function noticeNewSource(ctx: Context, user: UserModel, known: KnownSource): Promise<void> {
  // Nothing is known of an account that was just made: its first sign-in is no news.
  const isNew = known.any ? !(known.device && known.network) : ctx.now.getTime() - user.createdAt.getTime() > DAY_MS;
  if (!isNew) return;
  const device = deviceName(ctx);
  await recordSecurityEvent(ctx, 'new_device', { userId: user.id, details: { device } });
  await record(ctx, NewDeviceUsed, { target: user, data: { ...user.present(ctx.ids), device, ip: ctx.request.ip } });
}
