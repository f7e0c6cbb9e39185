import { NoContent } from '../../contract/common-schemas.ts';
import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import {
  CheckSubdomain,
  CreateOrganization,
  exampleOrganization,
  ListOrganizations,
  Organization,
  OrganizationId,
  OrganizationPage,
  SearchOrganizations,
  SubdomainAvailability,
  UpdateOrganization,
} from './schemas.ts';
import { subdomainAvailability } from './service/claim-names.ts';
import { createOrganization } from './service/create.ts';
import { deleteOrganization, restoreOrganization } from './service/delete.ts';
import { getOrganization, listOrganizations, searchOrganizations } from './service/find.ts';
import { updateOrganization } from './service/update.ts';

const tags: [Tag] = ['Organizations'];
const orgId = exampleOrganization.id;

const examplePage: OrganizationPage = { items: [{ ...exampleOrganization, role: 'OWNER' }], nextCursor: null };

/** `orgs.*`, without what other slices add. */
export const organizations = {
  list: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/organizations',
      tags,
      summary: 'List your organizations',
      description: 'Those you are a member of, newest first, with your role.',
    },
    errors: ['invalid_cursor'],
    example: { input: { limit: 25 }, output: examplePage },
  })
    .input(ListOrganizations)
    .output(OrganizationPage)
    .query(({ ctx, input }) => listOrganizations(ctx, input)),

  create: procedure({
    access: 'user',
    versioned: true,
    openapi: {
      method: 'POST',
      path: '/organizations',
      tags,
      summary: 'Create an organization',
      description:
        'You become its OWNER. It starts on the plan `DEFAULT_PLAN` of the deployment, FREE unless that is set.',
    },
    rest: { status: 201 },
    errors: ['name_reserved', 'slug_taken', 'subdomain_taken', 'limit_reached'],
    example: { input: { name: 'Acme Inc.', slug: 'acme' }, output: exampleOrganization },
  })
    .input(CreateOrganization)
    .output(Organization)
    .mutation(({ ctx, input }) => createOrganization(ctx, input)),

  search: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/organizations/search',
      tags,
      summary: 'Search your organizations',
      description: 'By part of name or slug, among those you are a member of.',
    },
    errors: ['invalid_cursor'],
    example: { input: { query: 'acme' }, output: examplePage },
  })
    .input(SearchOrganizations)
    .output(OrganizationPage)
    .query(({ ctx, input }) => searchOrganizations(ctx, input)),

  subdomainAvailable: procedure({
    access: 'user',
    openapi: {
      method: 'GET',
      path: '/organizations/subdomain-availability',
      tags,
      summary: 'Check whether a subdomain is available',
      description: 'And why not: it is invalid, reserved or taken.',
    },
    example: { input: { subdomain: 'acme' }, output: { subdomain: 'acme', available: false, reason: 'taken' } },
  })
    .input(CheckSubdomain)
    .output(SubdomainAvailability)
    .query(({ ctx, input }) => subdomainAvailability(ctx, input.subdomain)),

  get: procedure({
    access: 'org:read',
    versioned: true,
    openapi: {
      method: 'GET',
      path: '/organizations/{orgId}',
      tags,
      summary: 'Get an organization',
      description: 'With the settings that its members may read.',
    },
    example: { input: { orgId }, output: exampleOrganization },
  })
    .input(OrganizationId)
    .output(Organization)
    .query(({ ctx }) => getOrganization(ctx)),

  update: procedure({
    access: 'org:update',
    versioned: true,
    openapi: {
      method: 'PATCH',
      path: '/organizations/{orgId}',
      tags,
      summary: 'Update an organization',
      description:
        'What is missing stays; null clears. With `If-Match`, only if it has not changed since the `ETag` was read.',
    },
    errors: ['name_reserved', 'slug_taken', 'subdomain_taken', 'version_mismatch'],
    example: {
      input: { orgId, deletionProtection: true },
      output: { ...exampleOrganization, deletionProtection: true },
    },
  })
    .input(UpdateOrganization)
    .output(Organization)
    .mutation(({ ctx, input }) => updateOrganization(ctx, input)),

  delete: procedure({
    access: 'org:delete',
    fresh: true,
    openapi: {
      method: 'DELETE',
      path: '/organizations/{orgId}',
      tags,
      summary: 'Delete an organization',
      description:
        'From then on its members and keys cannot see it. For 30 days an owner can restore it; then all its data but the audit log are deleted.',
    },
    rest: { status: 204 },
    errors: ['deletion_protected', 'personal_organization', 'version_mismatch'],
    example: { input: { orgId } },
  })
    .input(OrganizationId)
    .output(NoContent)
    .mutation(({ ctx }) => deleteOrganization(ctx)),

  restore: procedure({
    access: 'org:delete',
    versioned: true,
    fresh: true,
    allowDeletedOrganization: true,
    openapi: {
      method: 'POST',
      path: '/organizations/{orgId}/restore',
      tags,
      summary: 'Restore a deleted organization',
      description: 'With its members, keys and names, as it was.',
    },
    errors: ['restore_window_over', 'version_mismatch'],
    example: { input: { orgId }, output: exampleOrganization },
  })
    .input(OrganizationId)
    .output(Organization)
    .mutation(({ ctx }) => restoreOrganization(ctx)),
};
