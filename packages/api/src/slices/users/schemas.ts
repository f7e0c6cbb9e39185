import { mailAddressFault } from '@rentapi/platform/mail-address';
import { z } from 'zod';
import { CreatedAt, Metadata, Timestamp, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { displayName } from '../../contract/names.ts';
import { PLATFORM_ROLES } from '../../contract/permissions.ts';

export const USER_STATUSES = ['ACTIVE', 'INACTIVE', 'SUSPENDED', 'DELETED'] as const;

export const EmailAddress = z
  .string()
  .trim()
  .max(254, { abort: true })
  .superRefine((text, ctx) => {
    const fault = mailAddressFault(text);
    if (fault) ctx.addIssue(fault);
  })
  .meta({
    description:
      'One account per mailbox, whatever the case or Unicode form: `münchen.de` is `xn--mnchen-3ya.de`. ASCII before the @.',
    example: 'ada@example.com',
    format: 'idn-email',
  });

export const Username = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{1,30})[A-Za-z0-9]$/,
    'must be 3 to 32 letters, digits, dots, dashes or underscores, beginning and ending with a letter or digit',
  )
  .meta({ description: 'A public name, unique whatever its case.', example: 'ada' });

export const FullName = displayName(120).meta({ description: 'The name of the person.', example: 'Ada Lovelace' });

export const AvatarUrl = z
  .string()
  .nullable()
  .meta({
    description: 'Where the picture is, if there is one; with `?size=64`, `256` or `512`.',
    example: `https://api.example.com/api/v1/avatars/${exampleId('avt')}`,
  });

export const User = z
  .object({
    id: id('usr'),
    email: z.string().meta({ description: 'The e-mail address of the account.', example: 'ada@example.com' }),
    username: z.string().nullable().meta({ description: 'The public name, if there is one.', example: 'ada' }),
    fullName: z.string().nullable().meta({ description: 'The name of the person.', example: 'Ada Lovelace' }),
    avatarUrl: AvatarUrl,
    status: z.enum(USER_STATUSES).meta({ description: 'Only ACTIVE accounts can call.' }),
    role: z.enum(PLATFORM_ROLES).meta({ description: 'Role on the platform; roles in organizations are memberships.' }),
    emailVerifiedAt: Timestamp.nullable().meta({ description: 'When the address was verified; null until then.' }),
    twoFactorEnabled: z.boolean().meta({ description: 'Whether a login asks for a second factor.' }),
    defaultOrganizationId: id('org').meta({ description: 'Where the user acts when a request names no organization.' }),
    metadata: Metadata,
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({ id: 'User', description: 'A person with an account.' });
export type User = z.output<typeof User>;

export const exampleUser: User = {
  id: exampleId('usr'),
  email: 'ada@example.com',
  username: 'ada',
  fullName: 'Ada Lovelace',
  avatarUrl: null,
  status: 'ACTIVE',
  role: 'USER',
  emailVerifiedAt: '2026-01-31T12:05:00.000Z',
  twoFactorEnabled: false,
  defaultOrganizationId: exampleId('org'),
  metadata: {},
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:05:00.000Z',
};

export const UpdateMe = z
  .strictObject({
    fullName: FullName.nullish().meta({ description: 'The name of the person; null for none.' }),
    username: Username.nullish().meta({ description: 'The public name; null for none.' }),
    metadata: Metadata.optional(),
    defaultOrganizationId: id('org')
      .optional()
      .meta({ description: 'The organization to act in when a request names none: one you are a member of.' }),
  })
  .meta({ id: 'UpdateMe', description: 'A missing field stays unchanged; null clears it.' });
export type UpdateMe = z.output<typeof UpdateMe>;
