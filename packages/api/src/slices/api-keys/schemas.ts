import { isAddressRange } from '@rentapi/platform/ip';
import { isOrigin, ORIGIN_SHAPE } from '@rentapi/platform/origins';
import { z } from 'zod';
import { CreatedAt, Metadata, Timestamp, TimestampInput, UpdatedAt } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';
import { SCOPES } from '../../contract/permissions.ts';
import { OrganizationPermission } from '../roles/schemas.ts';
import { Credits, CreditsInput, ExternalId, KeyPermissions, NamedLimit, NamedLimits } from './verify-schemas.ts';

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

/** A key as events show it. */
export const RecordedApiKey = z
  .object({
    id: id('key'),
    name: z.string().meta({ description: 'A name to recognise it by.', example: 'CI' }),
    description: z.string().nullable().meta({ description: 'What it is for.' }),
    prefix: z
      .string()
      .meta({ description: 'First characters of the secret, to recognise the key.', example: 'rapi_live_4f9a' }),
    last4: z.string().meta({ description: 'Last characters of the secret.', example: 'x7Kd' }),
    environment: z.enum(['live', 'test']).meta({ description: 'Shown in the prefix of the secret.' }),
    scopes: z.array(Scope).meta({ description: 'What it may do.' }),
    ipAllowList: z.array(z.string()).meta({ description: 'Addresses and ranges it works from; empty for any.' }),
    allowedOrigins: z.array(z.string()).meta({ description: 'Web origins it works from; empty for any.' }),
    rateLimitPerMinute: z.int().nullable().meta({ description: 'Calls a minute; null for no limit of its own.' }),
    rateLimitPerHour: z.int().nullable().meta({ description: 'Calls an hour; null for no limit of its own.' }),
    rateLimitPerDay: z.int().nullable().meta({ description: 'Calls a day; null for no limit of its own.' }),
    externalId: z.string().nullable().meta({ description: 'Your own id of the customer who uses it.' }),
    permissions: z.array(z.string()).meta({ description: 'What it may do in your own API.' }),
    credits: Credits.nullable().meta({ description: 'What verifications of the key may spend; null for any number.' }),
    rateLimits: z.array(NamedLimit).meta({
      description: 'How often it may call your own API, in the order of their names.',
    }),
    metadata: Metadata,
    enabled: z.boolean().meta({ description: 'While false, it is refused.' }),
    createdBy: id('usr').nullable().meta({ description: 'The user who created it; null if that was a key.' }),
    expiresAt: Timestamp.nullable().meta({ description: 'From then on it is refused; null for never.' }),
    revokedAt: Timestamp.nullable().meta({ description: 'When it was revoked; null while it works.' }),
    createdAt: CreatedAt,
    updatedAt: UpdatedAt,
  })
  .meta({
    id: 'RecordedApiKey',
    description: 'An API key when the event happened.',
  });
export type RecordedApiKey = z.output<typeof RecordedApiKey>;

export const ExpiringApiKey = RecordedApiKey.extend({
  daysLeft: z.int().meta({ description: 'In how many days it expires, rounded up.', example: 14 }),
}).meta({ id: 'ExpiringApiKey', description: 'An API key that expires soon.' });

export const ApiKey = RecordedApiKey.extend({
  lastUsedAt: Timestamp.nullable().meta({
    description:
      'When it was used last, to the minute; null for never. Refused calls do not count, nor does `ETag` show it.',
  }),
  lastUsedIp: z.string().nullable().meta({ description: 'The address that used it last.', example: '203.0.113.7' }),
}).meta({
  id: 'ApiKey',
  description: 'A credential with which a program calls the API. It belongs to its organization, not to its creator.',
});
export type ApiKey = z.output<typeof ApiKey>;

export const exampleRecordedKey: RecordedApiKey = {
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
  externalId: null,
  permissions: [],
  credits: null,
  rateLimits: [],
  metadata: {},
  enabled: true,
  createdBy: exampleId('usr'),
  expiresAt: null,
  revokedAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
};

export const exampleKey: ApiKey = { ...exampleRecordedKey, lastUsedAt: null, lastUsedIp: null };

const Name = z.string().trim().min(1).max(80).meta({ description: 'A name to recognise it by.', example: 'CI' });
const Scopes = z
  .array(Scope)
  .max(100)
  .meta({ description: 'Only scopes whose permissions you have in this organization; none for a key without rights.' });

/** What can be changed later; a missing field is left as it is, or has its default. */
const settings = {
  description: z.string().max(500).nullish().meta({ description: 'What it is for.' }),
  expiresAt: TimestampInput.nullish().meta({ description: 'From then on it is refused; null for never.' }),
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
  rateLimitPerMinute: Quota.nullish().meta({ description: 'Calls a minute; null for no limit of its own.' }),
  rateLimitPerHour: Quota.nullish().meta({ description: 'Calls an hour; null for no limit of its own.' }),
  rateLimitPerDay: Quota.nullish().meta({ description: 'Calls a day; null for no limit of its own.' }),
  externalId: ExternalId.nullish(),
  permissions: KeyPermissions.optional(),
  credits: CreditsInput.nullish().meta({
    description: 'What verifications of the key may spend; null for any number. Replaces what was left.',
  }),
  rateLimits: NamedLimits.optional(),
  metadata: Metadata.optional(),
};

export const CreateApiKey = z
  .strictObject({
    name: Name,
    scopes: Scopes,
    ...settings,
    environment: z.enum(['live', 'test']).optional().meta({ description: '`live` by default.' }),
  })
  .meta({ id: 'CreateApiKey', description: 'A new API key.' });
export type CreateApiKey = z.output<typeof CreateApiKey>;

export const CreatedApiKey = ApiKey.extend({
  secret: z
    .string()
    .meta({ description: 'Shown once; only its hash is stored.', example: `rapi_live_${'x'.repeat(36)}` }),
}).meta({ id: 'CreatedApiKey', description: 'The new API key, with its secret.' });
export type CreatedApiKey = z.output<typeof CreatedApiKey>;

export const KeyId = z.strictObject({ keyId: id('key') });

export const UpdateApiKey = KeyId.extend({
  name: Name.optional(),
  scopes: Scopes.optional(),
  ...settings,
  enabled: z.boolean().optional().meta({ description: 'While false, the key is refused.' }),
}).meta({ id: 'UpdateApiKey', description: 'A missing field stays unchanged; null clears it.' });
export type UpdateApiKey = z.output<typeof UpdateApiKey>;

const MAX_GRACE_S = 30 * 86_400;

export const RotateApiKey = KeyId.extend({
  gracePeriodSeconds: z.int().min(0).max(MAX_GRACE_S).optional().meta({
    description: 'How long the present secret works on, beside the new one: none by default, at most 30 days.',
    example: 3600,
  }),
}).meta({ id: 'RotateApiKey', description: 'How to replace the secret of a key.' });
export type RotateApiKey = z.output<typeof RotateApiKey>;

export const ScopeCatalogue = z
  .object({
    items: z
      .array(
        z
          .object({
            scope: Scope,
            permissions: z.array(OrganizationPermission).meta({ description: 'What a key with this scope may do.' }),
          })
          .meta({ id: 'ScopeEntry', description: 'A scope, and the permissions that it includes.' }),
      )
      .meta({ description: 'Every scope, the widest first.' }),
    nextCursor: z.null().meta({ description: 'All are on one page.' }),
  })
  .meta({ id: 'ScopeCatalogue', description: 'Every scope there is.' });
export type ScopeCatalogue = z.output<typeof ScopeCatalogue>;

export const ListApiKeys = pageInput({
  externalId: ExternalId.optional().meta({ description: 'Only the keys of this customer of yours.' }),
});
export type ListApiKeys = z.output<typeof ListApiKeys>;
export const ApiKeyPage = page('ApiKeyPage', ApiKey);

/** A key as a mail names it, with the moment that the mail is about: its expiry, or its last use. */
const MailedKey = z.object({ name: z.string(), last4: z.string(), at: z.string().nullable() });
export type MailedKey = z.output<typeof MailedKey>;

export const MailedKeys = z.object({ keys: z.array(MailedKey), more: z.int() });
export type MailedKeys = z.output<typeof MailedKeys>;
