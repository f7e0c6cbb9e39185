import { z } from 'zod';
import { CreatedAt, Timestamp, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { OrganizationRole } from '../organizations/schemas.ts';
import { EmailAddress } from '../users/schemas.ts';

const Status = z.enum(['PENDING', 'ACCEPTED', 'DECLINED', 'REVOKED', 'EXPIRED']);

export const Invitation = z
  .object({
    id: id('ivt'),
    organizationId: id('org'),
    email: z.string().meta({ description: 'Who is invited.', example: 'grace@example.com' }),
    role: OrganizationRole,
    status: Status.meta({ description: 'PENDING until `expiresAt`, then EXPIRED; either can be resent.' }),
    invitedBy: id('usr').nullable().meta({ description: 'Null if an API key sent it.' }),
    expiresAt: Timestamp.meta({ description: 'The mailed link works until then.' }),
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({
    id: 'Invitation',
    description:
      'An offer of membership to the owner of a mailbox, for 7 days. 90 days after that it is deleted, whatever became of it.',
  });
export type Invitation = z.output<typeof Invitation>;

export const exampleInvitation: Invitation = {
  id: exampleId('ivt'),
  organizationId: exampleId('org'),
  email: 'grace@example.com',
  role: 'MEMBER',
  status: 'PENDING',
  invitedBy: exampleId('usr'),
  expiresAt: '2026-02-07T12:00:00.000Z',
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const CreateInvitation = z
  .strictObject({ orgId: id('org'), email: EmailAddress, role: OrganizationRole })
  .meta({ id: 'CreateInvitation', description: 'The role must not have more permissions than you.' });
export type CreateInvitation = z.output<typeof CreateInvitation>;

export const ListInvitations = pageInput({
  orgId: id('org'),
  status: Status.meta({ description: 'Only those in this state.' }).optional(),
});
export type ListInvitations = z.output<typeof ListInvitations>;
export const InvitationPage = page('InvitationPage', Invitation);
export type InvitationPage = z.output<typeof InvitationPage>;

export const InvitationId = z.strictObject({ orgId: id('org'), invitationId: id('ivt') });
