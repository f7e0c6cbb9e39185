import { z } from 'zod';
import { Timestamp, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { OrganizationRole } from '../organizations/schemas.ts';
import { AvatarUrl } from '../users/schemas.ts';

export const Member = z
  .object({
    userId: id('usr'),
    email: z.string().meta({ description: 'The e-mail address of the account.', example: 'ada@example.com' }),
    username: z.string().nullable().meta({ description: 'The public name, if there is one.', example: 'ada' }),
    fullName: z.string().nullable().meta({ description: 'The name of the person.', example: 'Ada Lovelace' }),
    avatarUrl: AvatarUrl,
    role: OrganizationRole,
    roles: z
      .array(
        z.object({
          id: id('rol'),
          name: z.string().meta({ description: 'The name of the role.', example: 'Support' }),
        }),
      )
      .meta({ description: 'Custom roles, in addition to the organization role.' }),
    joinedAt: Timestamp.meta({ description: 'When the person became a member.' }),
    updatedAt: UpdatedAt,
  })
  .meta({ id: 'Member', description: 'A user in an organization.' });
export type Member = z.output<typeof Member>;

export const exampleMember: Member = {
  userId: exampleId('usr'),
  email: 'ada@example.com',
  username: 'ada',
  fullName: 'Ada Lovelace',
  avatarUrl: null,
  role: 'ADMIN',
  roles: [{ id: exampleId('rol'), name: 'Support' }],
  joinedAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const ListMembers = pageInput({ orgId: id('org') });
export type ListMembers = z.output<typeof ListMembers>;
export const MemberPage = page('MemberPage', Member);
export type MemberPage = z.output<typeof MemberPage>;

export const MemberId = z.strictObject({ orgId: id('org'), userId: id('usr') });
export type MemberId = z.output<typeof MemberId>;

export const SetMemberRole = MemberId.extend({ role: OrganizationRole }).meta({
  id: 'SetMemberRole',
  description: 'The organization role of a member from now on.',
});
export type SetMemberRole = z.output<typeof SetMemberRole>;

export const TransferOwnership = MemberId.meta({ id: 'TransferOwnership', description: 'To whom: a member.' });

export const OwnershipTransfer = z
  .object({
    organizationId: id('org'),
    fromUserId: id('usr').meta({ description: 'Who is ADMIN now.' }),
    toUserId: id('usr').meta({ description: 'Who is OWNER now.' }),
  })
  .meta({ id: 'OwnershipTransfer', description: 'Who gave an organization to whom.' });
