import { isAddressRange } from '@rentapi/platform/ip';
import { isOrigin, ORIGIN_SHAPE } from '@rentapi/platform/origins';
import { z } from 'zod';
import { Metadata, Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { SCOPES } from '../../contract/permissions.ts';

export const Scope = z.enum(SCOPES as [string, ...string[]]).meta({
  id: 'Scope',
  description:
    'A permission (`api_keys:read`), all of a resource (`api_keys:*`), all that reads (`read:*`) or writes (`write:*`), or everything (`*`).',
  example: 'api_keys:read',
});

const AddressRange = z
  .string()
  .max(50, { abort: true })
  .refine(isAddressRange, 'must be an IPv4 or IPv6 address or a range in CIDR notation')
  .meta({ example: '203.0.113.0/24' });

const Origin = z
  .string()
  .max(300, { abort: true })
  .refine(isOrigin, `must be ${ORIGIN_SHAPE}`)
  .meta({ example: 'https://app.example.com' });

const Quota = z.int().min(1).max(1_000_000_000);

export const ApiKey = z
  .object({
    id: id('key'),
    name: z.string(),
    description: z.string().nullable(),
    prefix: z
      .string()
      .meta({ description: 'First characters of the secret, to recognise the key.', example: 'rapi_live_4f9a' }),
    last4: z.string().meta({ example: 'x7Kd' }),
    environment: z.enum(['live', 'test']),
    scopes: z.array(Scope),
    ipAllowList: z.array(z.string()),
    allowedOrigins: z.array(z.string()),
    rateLimitPerMinute: z.int().nullable(),
    rateLimitPerHour: z.int().nullable(),
    rateLimitPerDay: z.int().nullable(),
    metadata: Metadata,
    createdBy: id('usr').nullable(),
    expiresAt: Timestamp.nullable(),
    revokedAt: Timestamp.nullable(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({
    id: 'ApiKey',
    description: 'A credential with which a program calls the API. It belongs to its organization, not to its creator.',
  });
export type ApiKey = z.output<typeof ApiKey>;

export const exampleKey: ApiKey = {
  id: exampleId('key'),
  name: 'CI',
  description: null,
  prefix: 'rapi_live_4f9a',
  last4: 'x7Kd',
  environment: 'live',
  scopes: ['api_keys:read'],
  ipAllowList: [],
  allowedOrigins: [],
  rateLimitPerMinute: null,
  rateLimitPerHour: null,
  rateLimitPerDay: null,
  metadata: {},
  createdBy: exampleId('usr'),
  expiresAt: null,
  revokedAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const CreateApiKey = z
  .strictObject({
    name: z.string().trim().min(1).max(80).meta({ example: 'CI' }),
    description: z.string().max(500).nullish(),
    scopes: z
      .array(Scope)
      .min(1)
      .max(100)
      .meta({ description: 'Only scopes whose permissions you have in this organization.' }),
    expiresAt: TimestampInput.nullish(),
    ipAllowList: z
      .array(AddressRange)
      .max(100)
      .optional()
      .meta({ description: 'Addresses and ranges the key works from; empty for any.' }),
    allowedOrigins: z
      .array(Origin)
      .max(100)
      .optional()
      .meta({ description: 'Origins of web pages, apps or extensions the key works from; empty for any.' }),
    rateLimitPerMinute: Quota.nullish(),
    rateLimitPerHour: Quota.nullish(),
    rateLimitPerDay: Quota.nullish(),
    environment: z.enum(['live', 'test']).optional().meta({ description: '`live` by default.' }),
    metadata: Metadata.optional(),
  })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKey = z.output<typeof CreateApiKey>;

export const CreatedApiKey = ApiKey.extend({
  secret: z
    .string()
    .meta({ description: 'Shown once; only its hash is stored.', example: `rapi_live_${'x'.repeat(36)}` }),
}).meta({ id: 'CreatedApiKey' });
export type CreatedApiKey = z.output<typeof CreatedApiKey>;

export const KeyId = z.strictObject({ keyId: id('key') });
export const ListApiKeys = pageInput({});
export type ListApiKeys = z.output<typeof ListApiKeys>;
export const ApiKeyPage = page('ApiKeyPage', ApiKey);
