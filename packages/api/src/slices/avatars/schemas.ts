import { IMAGE_TYPES, MAX_PIXELS } from '@rentapi/platform/images';
import { z } from 'zod';
import { id } from '../../contract/ids.ts';

export const AVATAR_SIZES = [64, 256, 512] as const;
export const MAX_AVATAR_BYTES = 5 * 1024 ** 2;

const types = Object.entries(IMAGE_TYPES);
const names = new Intl.ListFormat('en', { type: 'disjunction' });

/** What the document says of the upload, from the constants that are enforced (V5.1.1). */
export const AVATAR_UPLOAD = {
  field: 'file',
  types: types.map(([type]) => type),
  description: `A picture: ${names.format(types.map(([type, { extensions }]) => `${type} (${extensions.map((name) => `.${name}`).join(', ')})`))}, by its content, whatever its name; at most ${MAX_AVATAR_BYTES} bytes and ${MAX_PIXELS} pixels (width times height). Others are refused: 415 for another type, 413 for too many bytes, 422 \`image_refused\` for too many pixels or an image that cannot be decoded. It is cut to a square and encoded again as WebP of ${names.format(AVATAR_SIZES.map(String))} pixels; camera data, place and profile are dropped.`,
};

export const AvatarInput = z.strictObject({
  avatarId: id('avt'),
  size: z
    .enum(AVATAR_SIZES.map(String) as [string, ...string[]])
    .optional()
    .meta({ description: 'Width and height in pixels; 256 unless given.', example: '256' }),
});

export const UserAvatarInput = z.strictObject({ userId: id('usr') });
