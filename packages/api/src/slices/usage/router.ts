import type { Tag } from '../../contract/tags.ts';
import { procedure } from '../../procedure.ts';
import {
  exampleKeyUsage,
  exampleOrganizationUsage,
  GetKeyUsage,
  GetOrganizationUsage,
  KeyUsage,
  OrganizationUsage,
} from './schemas.ts';
import { getKeyUsage } from './service/key-usage.ts';
import { getOrganizationUsage } from './service/organization-usage.ts';

/** Part of `apiKeys`. */
export const keyUsage = procedure({
  access: 'api_keys:read',
  openapi: {
    method: 'GET',
    path: '/api-keys/{keyId}/usage',
    tags: ['API keys'] satisfies [Tag],
    summary: 'Get the usage of an API key',
    description:
      'Its calls by hour or day of a time zone, refused ones included. A call is counted a few seconds after its answer.',
  },
  errors: ['time_range_reversed', 'time_range_too_long', 'unknown_time_zone'],
  example: {
    input: { keyId: exampleKeyUsage.keyId, interval: 'day', timeZone: 'Europe/Berlin' },
    output: exampleKeyUsage,
  },
})
  .input(GetKeyUsage)
  .output(KeyUsage)
  .query(({ ctx, input }) => getKeyUsage(ctx, input));

/** Part of `orgs`. */
export const organizationUsage = procedure({
  access: 'org:read',
  openapi: {
    method: 'GET',
    path: '/organizations/{orgId}/usage',
    tags: ['Organizations'] satisfies [Tag],
    summary: 'Get the usage of an organization',
    description:
      'Its calls in a period, by the environment of the key, refused ones included, and the limits of its plan. A call is counted a few seconds after its answer.',
  },
  errors: ['time_range_reversed', 'time_range_too_long'],
  example: { input: { orgId: exampleOrganizationUsage.organizationId }, output: exampleOrganizationUsage },
})
  .input(GetOrganizationUsage)
  .output(OrganizationUsage)
  .query(({ ctx, input }) => getOrganizationUsage(ctx, input));
