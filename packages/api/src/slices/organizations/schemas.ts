import { z } from 'zod';
import { CreatedAt, Metadata, Timestamp, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { displayName, NAME } from '../../contract/names.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { ORGANIZATION_ROLES } from '../../contract/permissions.ts';
import { PLAN_CODES } from '../../contract/plans.ts';

const SHAPE = 'must be 3 to 63 lowercase letters, digits and hyphens, beginning and ending with a letter or digit';

export const MAX_NAME = 120;
const OrganizationName = displayName(MAX_NAME).meta({ description: 'A name that people read.', example: 'Acme Inc.' });
const Slug = z.string().regex(NAME, SHAPE).meta({ description: 'Names the organization in URLs.', example: 'acme' });
const Subdomain = z
  .string()
  .regex(NAME, SHAPE)
  .meta({ description: 'The label of the organization below the main domain.', example: 'acme' });

export const OrganizationRole = z.enum(ORGANIZATION_ROLES).meta({
  id: 'OrganizationRole',
  description:
    'OWNER may do everything, ADMIN everything except what only owners may do, MEMBER reads and creates keys, VIEWER reads.',
});

export const Organization = z
  .object({
    id: id('org'),
    name: z.string().meta({ description: 'A name that people read.', example: 'Acme Inc.' }),
    slug: z.string().nullable().meta({ description: 'Names the organization in URLs.', example: 'acme' }),
    subdomain: z
      .string()
      .nullable()
      .meta({ description: 'Where the organization is reached below the main domain.', example: 'acme' }),
    personal: z.boolean().meta({ description: 'Made at registration for one person, who cannot leave it.' }),
    plan: z.enum(PLAN_CODES).meta({ description: 'What the organization pays for.' }),
    deletionProtection: z.boolean().meta({ description: 'While true, deleting is refused.' }),
    requireTwoFactor: z
      .boolean()
      .meta({ description: 'While true, members without a second factor can only set one up, or leave.' }),
    metadata: Metadata,
    deletedAt: Timestamp.nullable().meta({ description: 'For 30 days from then it can be restored.' }),
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({
    id: 'Organization',
    description: 'A tenant: its members, keys, usage and billing are separate from all others.',
  });
export type Organization = z.output<typeof Organization>;

export const exampleOrganization: Organization = {
  id: exampleId('org'),
  name: 'Acme Inc.',
  slug: 'acme',
  subdomain: 'acme',
  personal: false,
  plan: 'FREE',
  deletionProtection: false,
  requireTwoFactor: false,
  metadata: {},
  deletedAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const OwnOrganization = Organization.extend({
  role: OrganizationRole.meta({ description: 'The role of the caller there.' }),
}).meta({ id: 'OwnOrganization', description: 'An organization, and the role of the caller there.' });
export type OwnOrganization = z.output<typeof OwnOrganization>;

export const CreateOrganization = z
  .strictObject({
    name: OrganizationName,
    slug: Slug.optional().meta({ description: 'Made from the name unless given.' }),
    subdomain: Subdomain.optional().meta({ description: 'The slug unless given.' }),
    metadata: Metadata.optional(),
  })
  .meta({ id: 'CreateOrganization', description: 'A new organization.' });
export type CreateOrganization = z.output<typeof CreateOrganization>;

export const OrganizationId = z.strictObject({ orgId: id('org') });

export const UpdateOrganization = z
  .strictObject({
    orgId: id('org'),
    name: OrganizationName.optional(),
    slug: Slug.optional(),
    subdomain: Subdomain.nullish().meta({
      description: 'Where it is reached below the main domain; null for nowhere.',
    }),
    deletionProtection: z.boolean().optional().meta({ description: 'While true, deleting is refused.' }),
    requireTwoFactor: z
      .boolean()
      .optional()
      .meta({ description: 'While true, members without a second factor can only set one up, or leave.' }),
    metadata: Metadata.optional(),
  })
  .meta({ id: 'UpdateOrganization', description: 'A missing field stays unchanged; null clears it.' });
export type UpdateOrganization = z.output<typeof UpdateOrganization>;

export const ListOrganizations = pageInput({
  deleted: z
    .boolean()
    .optional()
    .meta({ description: 'True lists organizations you own that were deleted and can still be restored.' }),
});
export type ListOrganizations = z.output<typeof ListOrganizations>;

export const SearchOrganizations = pageInput({
  query: z.string().trim().min(1).max(100).meta({ description: 'Part of the name or slug.', example: 'acme' }),
});
export type SearchOrganizations = z.output<typeof SearchOrganizations>;

export const OrganizationPage = page('OrganizationPage', OwnOrganization);
export type OrganizationPage = z.output<typeof OrganizationPage>;

export const CheckSubdomain = z.strictObject({
  subdomain: z.string().min(1).max(100).meta({ description: 'The subdomain you would like.', example: 'acme' }),
});

export const SubdomainAvailability = z
  .object({
    subdomain: z.string().meta({ description: 'The subdomain that was asked about.', example: 'acme' }),
    available: z.boolean().meta({ description: 'Whether an organization can have it.' }),
    reason: z.enum(['invalid', 'reserved', 'taken']).nullable().meta({
      description:
        'Why it is not available. A name that looks like a taken or reserved one counts as taken or reserved.',
    }),
  })
  .meta({ id: 'SubdomainAvailability', description: 'Whether a subdomain is free, and why not.' });
export type SubdomainAvailability = z.output<typeof SubdomainAvailability>;
