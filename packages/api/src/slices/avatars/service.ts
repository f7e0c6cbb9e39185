import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ImageError, MAX_PIXELS, squareWebps } from '@rentapi/platform/images';
import type { StoredFile } from '@rentapi/platform/storage';
import pLimit from 'p-limit';
import type { Context, UserContext } from '../../context.ts';
import { ApiError } from '../../contract/errors.ts';
import { change } from '../../data/base-model.ts';
import { transaction } from '../../data/transaction.ts';
import { record } from '../../events/record.ts';
import type { RunControl } from '../../jobs/job.ts';
import { readUploadedFile } from '../../wire/multipart.ts';
import { UserUpdated } from '../users/events.ts';
import { UserModel } from '../users/model.ts';
import type { User } from '../users/schemas.ts';
import { lockUser } from '../users/staff.ts';
import { AvatarModel } from './model.ts';
import { AVATAR_SIZES, AVATAR_UPLOAD, MAX_AVATAR_BYTES } from './schemas.ts';

/** Decoding takes memory by the pixel, and threads that hash passwords too. */
const gate = pLimit(2);
const MAX_WAITING = 20;

/** Nothing is stored, and no pixel decoded, before the type and the size of the picture are known. */
export async function setAvatar(ctx: UserContext, userId: string, req: IncomingMessage): Promise<User> {
  const bytes = await readUploadedFile(req, {
    field: AVATAR_UPLOAD.field,
    maxBytes: MAX_AVATAR_BYTES,
    unfinished: ctx.ports.bodies,
  });
  const files = await encode(bytes);
  const id = ctx.ids.decode('usr', userId);
  if (!(await UserModel.query(ctx.db).findById(id).select('id'))) throw new ApiError('not_found');
  const storageKey = `avatars/${randomUUID()}`;
  // The row comes first: files without one could not be found and removed.
  const avatar = await AvatarModel.query(ctx.db).insert({ userId: id, storageKey, createdAt: ctx.now }).returning('*');
  for (const [size, file] of files) await ctx.ports.storage.put(`${storageKey}/${size}.webp`, file);
  return transaction(ctx, async (ctx) => {
    const before = await lockUser(ctx, userId, 'users:update');
    if (before.status === 'DELETED') throw new ApiError('account_deleted');
    const after = await change(ctx, before, { avatarId: avatar.id });
    const data = after.present(ctx.ids);
    await record(ctx, UserUpdated, { target: after, before, after, data });
    return data;
  });
}

async function encode(bytes: Buffer): Promise<Map<number, Buffer>> {
  if (gate.pendingCount >= MAX_WAITING) throw new ApiError('overloaded', { retryAfterS: 5 });
  try {
    return await gate(() => squareWebps(bytes, AVATAR_SIZES));
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw refusal(error);
  }
}

function refusal(cause: ImageError): ApiError {
  switch (cause.reason) {
    case 'type':
      return new ApiError('unsupported_media_type', {
        detail: `Send one of ${AVATAR_UPLOAD.types.join(', ')}: the content of the file is none of them.`,
        cause,
      });
    case 'pixels':
      return new ApiError('image_refused', { detail: `Send an image of at most ${MAX_PIXELS} pixels.`, cause });
    case 'broken':
      return new ApiError('image_refused', {
        detail: 'Send an image that opens elsewhere: this one is broken.',
        cause,
      });
    case 'unavailable':
      return new ApiError('unavailable', {
        detail: 'This server cannot read images: the package `sharp` has no build for its platform.',
        retryAfterS: 3600,
        cause,
      });
  }
}

/** By its id alone, which cannot be guessed. */
export async function findAvatar(
  ctx: Context,
  { avatarId, size = '256' }: { avatarId: string; size?: string | undefined },
): Promise<StoredFile> {
  const avatar = await AvatarModel.query(ctx.db).findById(ctx.ids.decode('avt', avatarId));
  const file = avatar && (await ctx.ports.storage.get(`${avatar.storageKey}/${size}.webp`));
  if (!file) throw new ApiError('not_found');
  return file;
}

const BATCH = 100;
/** As long as an upload may take, and pages may show the picture before. */
const REPLACED_FOR_MS = 3_600_000;

/** Removes pictures that were replaced, and those whose upload failed half-way. */
export async function sweepAvatars(ctx: Context, { touch, signal }: RunControl): Promise<void> {
  const before = new Date(ctx.now.getTime() - REPLACED_FOR_MS);
  for (let after = 0; !signal.aborted; touch()) {
    const found = await AvatarModel.query(ctx.db)
      .where('createdAt', '<', before)
      .where('id', '>', after)
      .whereNotExists(UserModel.query(ctx.db).whereColumn('users.avatarId', 'avatars.id'))
      .orderBy('id')
      .limit(BATCH);
    for (const avatar of found) await removeAvatar(ctx, avatar);
    if (found.length < BATCH) return;
    after = found.at(-1)!.id;
  }
}

/** Every picture of a user, for good. */
export async function removeAvatars(ctx: Context, userId: number): Promise<void> {
  for (const avatar of await AvatarModel.query(ctx.db).where({ userId })) await removeAvatar(ctx, avatar);
}

/** The files first: what is left of them after a failure is found by the row. */
async function removeAvatar(ctx: Context, { id, storageKey }: AvatarModel): Promise<void> {
  await ctx.ports.storage.remove(storageKey);
  await AvatarModel.query(ctx.db).findById(id).delete();
}
