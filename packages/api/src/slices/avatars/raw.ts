import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exampleId } from '../../contract/ids.ts';
import type { ProcedureLimit } from '../../contract/meta.ts';
import type { Tag } from '../../contract/tags.ts';
import { rawRoute, sendJson } from '../../wire/raw-route.ts';
import { exampleUser, User } from '../users/schemas.ts';
import { AVATAR_UPLOAD, AvatarInput, UserAvatarInput } from './schemas.ts';
import { findAvatar, setAvatar } from './service.ts';

const tags: [Tag] = ['Users'];
const answer = { type: 'application/json', schema: User };
const limit: ProcedureLimit = { name: 'avatar', by: 'caller', size: () => 20, windowS: 60 };

export const myAvatar = rawRoute({
  name: 'users.me.avatar',
  meta: {
    access: 'user',
    openapi: {
      method: 'POST',
      path: '/users/me/avatar',
      tags,
      summary: 'Upload your picture',
      description: 'It replaces the one before, whose address works for an hour more.',
    },
    upload: AVATAR_UPLOAD,
    limit,
    errors: ['image_refused', 'overloaded', 'account_deleted', 'version_mismatch'],
    example: { output: exampleUser },
  },
  input: z.strictObject({}),
  answer,
  serve: async (ctx, _, { req, res }) =>
    sendJson(res, await setAvatar(ctx, ctx.ids.encode('usr', ctx.actor.user.id), req)),
});

export const userAvatar = rawRoute({
  name: 'users.avatar',
  meta: {
    access: 'self:users:update',
    openapi: {
      method: 'POST',
      path: '/users/{userId}/avatar',
      tags,
      summary: "Upload a user's picture",
      description: 'It replaces the one before, whose address works for an hour more.',
    },
    upload: AVATAR_UPLOAD,
    limit,
    errors: ['image_refused', 'overloaded', 'account_deleted', 'target_has_more_permissions', 'version_mismatch'],
    example: { input: { userId: exampleUser.id }, output: exampleUser },
  },
  input: UserAvatarInput,
  answer,
  serve: async (ctx, { userId }, { req, res }) => sendJson(res, await setAvatar(ctx, userId, req)),
});

export const avatarImage = rawRoute({
  name: 'users.avatarImage',
  meta: {
    access: 'public',
    openapi: {
      method: 'GET',
      path: '/avatars/{avatarId}',
      tags,
      summary: 'Get a picture',
      description: 'A square WebP image. Its address is in `avatarUrl`; it never changes, so it may be kept for good.',
    },
    // A page shows many at once, and they are kept by browsers.
    limit: { name: 'avatars', by: 'source', size: (env) => env.RATE_LIMIT_PER_MINUTE * 10, windowS: 60, instead: true },
    example: { input: { avatarId: exampleId('avt'), size: '256' } },
  },
  input: AvatarInput,
  answer: {
    type: 'image/webp',
    schema: z.string().meta({ format: 'binary', description: 'The image.' }),
    servesHead: true,
  },
  async serve(ctx, input, { res }) {
    const file = await findAvatar(ctx, input);
    res.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    res.setHeader('Content-Length', file.sizeBytes);
    await pipeline(file.read(), res);
  },
});
