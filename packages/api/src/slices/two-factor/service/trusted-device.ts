import { newToken, tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { assertCookies } from '../../../pipeline/cookies.ts';
import { TrustedDeviceModel } from '../model.ts';

const TRUSTED_MS = 30 * 86_400_000;
/** The oldest is forgotten for one more. */
export const MAX_DEVICES = 20;
const COOKIE = '__Host-rentapi_device';

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

/** Remembers the device of a sign-in that showed its second factor. Returns its token. */
export async function trustDevice(ctx: Context, userId: number, sessionId: number): Promise<string> {
  const token = newToken();
  const older = TrustedDeviceModel.query(ctx.db)
    .where({ userId })
    .orderBy('id', 'desc')
    .offset(MAX_DEVICES - 1)
    .select('id');
  await TrustedDeviceModel.query(ctx.db).delete().whereIn('id', older);
  await TrustedDeviceModel.query(ctx.db).insert({
    userId,
    sessionId,
    tokenHash: tokenHash(token),
    createdAt: ctx.now,
    expiresAt: new Date(ctx.now.getTime() + TRUSTED_MS),
  });
  return token;
}

/** In cookie mode the token leaves as a cookie, as the refresh token does; after the commit. */
export function deliverDevice<Answer extends { deviceToken: string | null }>(
  ctx: Context,
  answer: Answer,
  asCookie: boolean,
): Answer {
  if (!asCookie || answer.deviceToken === null) return answer;
  assertCookies(ctx).set(COOKIE, answer.deviceToken, { sameSite: 'strict', maxAgeS: TRUSTED_MS / 1000 });
  return { ...answer, deviceToken: null };
}

/** The device of a sign-in in cookie mode. */
export function readDeviceCookie(ctx: Context): string | undefined {
  return ctx.cookies?.get(COOKIE);
}

/** From now on the trust ends with this session. */
export async function useTrustedDevice(ctx: Context, device: TrustedDeviceModel, sessionId: number): Promise<void> {
  await TrustedDeviceModel.query(ctx.db).findById(device.id).patch({ sessionId });
}

/** A logout leaves the trust, so that the next login on the device need not show the second factor. */
export async function keepTrust(ctx: Context, sessionId: number): Promise<void> {
  await TrustedDeviceModel.query(ctx.db).where({ sessionId }).patch({ sessionId: null });
}

/** Of every device, also of those on which the person logged out; or of all but the one that opened a session. */
export async function endTrust(ctx: Context, userId: number, { except }: { except?: number } = {}): Promise<void> {
  const devices = TrustedDeviceModel.query(ctx.db).where({ userId });
  if (except !== undefined) devices.where((other) => other.whereNull('sessionId').orWhereNot('sessionId', except));
  await devices.delete();
}

/** Of a session that another one replaces. */
export async function moveTrust(ctx: Context, from: number, to: number): Promise<void> {
  await TrustedDeviceModel.query(ctx.db).where({ sessionId: from }).patch({ sessionId: to });
}

/** Until when the devices of these sessions are trusted. */
export async function trustOf(ctx: Context, sessionIds: number[]): Promise<Map<number, Date>> {
  const devices = await TrustedDeviceModel.query(ctx.db)
    .whereIn('sessionId', sessionIds)
    .where('expiresAt', '>', ctx.now);
  return new Map(devices.flatMap(({ sessionId, expiresAt }) => (sessionId === null ? [] : [[sessionId, expiresAt]])));
}
