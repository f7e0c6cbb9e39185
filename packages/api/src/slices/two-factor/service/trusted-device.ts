import { tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { TrustedDeviceModel } from '../model.ts';

/** The device that a token names, unless its trust has ended: with time, or with the session that it opened. */
export async function findTrustedDevice(
  ctx: Context,
  userId: number,
  deviceToken: string | undefined,
): Promise<TrustedDeviceModel | undefined> {
  if (deviceToken === undefined) return undefined;
  const device = await TrustedDeviceModel.query(ctx.db)
    .findOne({ tokenHash: tokenHash(deviceToken), userId })
    .where('expiresAt', '>', ctx.now)
    .forUpdate();
  if (!device?.sessionId) return device;
  const revoked = await ctx.db('sessions').where({ id: device.sessionId }).whereNotNull('revokedAt').first('id');
  return revoked ? undefined : device;
}

/** From now on the trust ends with this session. */
export async function useTrustedDevice(ctx: Context, device: TrustedDeviceModel, sessionId: number): Promise<void> {
  await TrustedDeviceModel.query(ctx.db).findById(device.id).patch({ sessionId });
}

/** A logout leaves the trust, so that the next login on the device need not show the second factor. */
export async function keepTrust(ctx: Context, sessionId: number): Promise<void> {
  await TrustedDeviceModel.query(ctx.db).where({ sessionId }).patch({ sessionId: null });
}

export async function endTrust(ctx: Context, userId: number): Promise<void> {
  await TrustedDeviceModel.query(ctx.db).delete().where({ userId });
}
