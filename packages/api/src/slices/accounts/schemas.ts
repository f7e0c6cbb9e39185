import { z } from 'zod';
import { Metadata } from '../../contract/common-schemas.ts';
import { id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { PLATFORM_ROLES } from '../../contract/permissions.ts';
import { Member } from '../members/schemas.ts';
import { OrganizationRole } from '../organizations/schemas.ts';
import { EmailAddress, FullName, USER_STATUSES, User, Username } from '../users/schemas.ts';

export const UserOrMember = z.union([User, Member]).meta({
  id: 'UserOrMember',
  description: '`Member` for those who share an organization; `User` for the person themselves and for platform staff.',
});
export type UserOrMember = z.output<typeof UserOrMember>;

export const ListUsers = pageInput({
  search: z.string().trim().min(2).max(100).optional().meta({
    description: 'How the e-mail address, the username or the name begins, whatever its case.',
    example: 'ada',
  }),
  role: OrganizationRole.optional().meta({ description: 'Only members with this role in the organization.' }),
  status: z.enum(USER_STATUSES).optional().meta({ description: 'Only accounts of this status; for platform staff.' }),
  platformRole: z
    .enum(PLATFORM_ROLES)
    .optional()
    .meta({ description: 'Only users with this role on the platform; for platform staff.' }),
  sort: z
    .enum(['-createdAt', 'createdAt', 'email', '-email'])
    .optional()
    .meta({ description: 'Newest first, unless given; of members, by when they joined. A minus reverses the order.' }),
});
export type ListUsers = z.output<typeof ListUsers>;
export const UserPage = page('UserPage', UserOrMember);
export type UserPage = z.output<typeof UserPage>;

export const UserId = z.strictObject({ userId: id('usr') });
export type UserId = z.output<typeof UserId>;

export const UpdateUser = z
  .strictObject({
    userId: id('usr'),
    fullName: FullName.nullish().meta({ description: 'The name of the person; null for none.' }),
    username: Username.nullish().meta({ description: 'The public name; null for none.' }),
    metadata: Metadata.optional(),
  })
  .meta({ id: 'UpdateUser', description: 'A missing field stays unchanged; null clears it.' });
export type UpdateUser = z.output<typeof UpdateUser>;

export const CreateUser = z
  .strictObject({
    email: EmailAddress,
    fullName: FullName.nullish().meta({ description: 'The name of the person, as others see it.' }),
    username: Username.nullish().meta({ description: 'A public name; theirs once they have set a password.' }),
  })
  .meta({ id: 'CreateUser', description: 'A new account. Its owner sets the password, with a mailed link.' });
export type CreateUser = z.output<typeof CreateUser>;
