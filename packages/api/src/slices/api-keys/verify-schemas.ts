import { parseAddress } from '@rentapi/platform/ip';
import { z } from 'zod';
import { Metadata, Timestamp } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';

const MAX_CREDITS = 1_000_000_000_000;
const MAX_LIMITS = 10;
const MAX_WINDOW_S = 31 * 86_400;
export const MAX_COST = 1_000_000;

export const ExternalId = z
  .string()
  .min(1)
  .max(200)
  .meta({ description: 'Your own id of the customer who uses the key.', example: 'customer-42' });

export const KeyPermissions = z
  .array(
    z
      .string()
      .min(1)
      .max(100, { abort: true })
      .regex(/^[a-z0-9_.:*-]{1,100}$/, 'must consist of a–z, 0–9 and _ . : * -')
      .meta({ example: 'documents.read' }),
  )
  .max(100)
  .meta({
    description:
      'What the key may do in your own API, in your own words; `*` matches any characters: `documents.*`. They mean nothing here.',
  });

const REFILL_INTERVALS = ['hour', 'day', 'week', 'month'] as const;
export type RefillInterval = (typeof REFILL_INTERVALS)[number];

const Interval = z.enum(REFILL_INTERVALS);
const AMOUNT = { description: 'What `remaining` is raised to.', example: 1000 };
const INTERVAL = {
  description: 'How often, counted from when the credits were set. A month is one of the calendar, in UTC.',
};
const REFILL = 'At the end of each interval `remaining` is raised to `amount`, unless more is left.';

export const Credits = z
  .object({
    remaining: z.int().meta({ description: 'How many credits are left.', example: 1000 }),
    refill: z
      .object({ amount: z.int().meta(AMOUNT), interval: Interval.meta(INTERVAL) })
      .meta({ id: 'CreditRefill', description: REFILL })
      .nullable()
      .meta({ description: 'How they are refilled; null for never.' }),
  })
  .meta({
    id: 'KeyCredits',
    description: 'What the calls of a key to your own API may cost together; each verification spends its `cost`.',
  });
export type Credits = z.output<typeof Credits>;

export const CreditsInput = z
  .strictObject({
    remaining: z
      .int()
      .min(0)
      .max(MAX_CREDITS)
      .meta({ description: 'How many credits are left from now on.', example: 1000 }),
    refill: z
      .strictObject({ amount: z.int().min(1).max(MAX_CREDITS).meta(AMOUNT), interval: Interval.meta(INTERVAL) })
      .meta({ id: 'SetCreditRefill', description: REFILL })
      .nullish()
      .meta({ description: 'How they are refilled; null for never, as without the field.' }),
  })
  .meta({ id: 'SetKeyCredits', description: 'Replaces what was left of the credits of a key.' });
export type CreditsInput = z.output<typeof CreditsInput>;

const LimitName = z
  .string()
  .max(40, { abort: true })
  .regex(/^[a-z0-9_.-]{1,40}$/, 'must consist of a–z, 0–9 and _ . -')
  .meta({ description: 'Its name, which a verification can choose.', example: 'requests' });

const LIMIT = { description: 'How many calls in each window.', example: 100 };
const WINDOW = { description: 'The window in seconds, at most 31 days. It is refilled evenly.', example: 60 };

export const NamedLimit = z
  .object({
    name: z.string().meta({ description: 'Its name, which a verification can choose.', example: 'requests' }),
    limit: z.int().meta(LIMIT),
    windowS: z.int().meta(WINDOW),
  })
  .meta({ id: 'KeyRateLimit', description: 'A limit on how often a key may call your own API.' });
export type NamedLimit = z.output<typeof NamedLimit>;

export const NamedLimits = z
  .array(
    z
      .strictObject({
        name: LimitName,
        limit: z.int().min(1).max(1_000_000_000).meta(LIMIT),
        windowS: z.int().min(1).max(MAX_WINDOW_S).meta(WINDOW),
      })
      .meta({ id: 'SetKeyRateLimit', description: 'A limit on how often a key may call your own API.' }),
  )
  .max(MAX_LIMITS, { abort: true })
  .refine((limits) => hasUniqueNames(limits), 'must have different names')
  .meta({ description: 'How often the key may call your own API.' });

function hasUniqueNames(limits: readonly { name: string }[]): boolean {
  return new Set(limits.map(({ name }) => name)).size === limits.length;
}

/** Any number, because the service refuses a wrong one under a code of its own; the document says what is right. */
const Cost = z.number().meta({ type: 'integer', minimum: 0, maximum: MAX_COST, example: 1 });

export const VerifyApiKey = z
  .strictObject({
    key: z
      .string()
      .max(500)
      .meta({ description: 'The secret that your caller sent.', example: `rapi_live_${'x'.repeat(36)}` }),
    permissions: z.string().max(1000).optional().meta({
      description:
        'What the call needs, of the words in the `permissions` of the key: words joined by `AND` and `OR`, and parentheses at most 10 deep. `AND` binds tighter.',
      example: 'documents.read AND (team.alpha OR team.beta)',
    }),
    cost: Cost.optional().meta({ description: 'The credits that the call costs, 1 by default; 0 spends nothing.' }),
    rateLimits: z
      .array(
        z
          .strictObject({
            name: LimitName,
            cost: Cost.optional().meta({ description: 'How many calls it counts as, 1 by default.' }),
          })
          .meta({ id: 'RateLimitCost', description: 'A limit of the key, and what the call takes from it.' }),
      )
      .max(MAX_LIMITS, { abort: true })
      .refine(hasUniqueNames, 'must have different names')
      .optional()
      .meta({
        description: 'The limits of the key that the call counts against; without the field all of them, once each.',
      }),
    ip: z
      .string()
      .max(100, { abort: true })
      .refine((ip) => parseAddress(ip) !== null, 'must be an IPv4 or IPv6 address')
      .optional()
      .meta({
        description: 'The address of your caller, for keys with an `ipAllowList`, which are refused without it.',
        example: '203.0.113.7',
      }),
  })
  .meta({ id: 'VerifyApiKey', description: 'A key that a program has shown to your own API, and what it asks for.' });
export type VerifyApiKey = z.output<typeof VerifyApiKey>;

const VERIFY_CODES = [
  'VALID',
  'NOT_FOUND',
  'FORBIDDEN',
  'INSUFFICIENT_PERMISSIONS',
  'USAGE_EXCEEDED',
  'RATE_LIMITED',
  'DISABLED',
  'EXPIRED',
] as const;
export type VerifyCode = (typeof VERIFY_CODES)[number];

export const VerifiedKey = z
  .object({
    valid: z.boolean().meta({ description: 'Whether to serve the call: true with the code `VALID` only.' }),
    code: z.enum(VERIFY_CODES).meta({
      description:
        '`NOT_FOUND`: no key of your organization. `DISABLED`: revoked, or switched off. `EXPIRED`: past its `expiresAt`, or a rotated secret past its grace. `FORBIDDEN`: not from this address. `INSUFFICIENT_PERMISSIONS`: the query is not fulfilled. `RATE_LIMITED` and `USAGE_EXCEEDED`: a limit or the credits are used up, and nothing was spent.',
    }),
    keyId: id('key').nullable().meta({ description: 'The key; null for `NOT_FOUND`, as all that follows.' }),
    organizationId: id('org').nullable().meta({ description: 'Its organization, which is yours.' }),
    externalId: z.string().nullable().meta({ description: 'Your own id of the customer, as the key has it.' }),
    permissions: z.array(z.string()).nullable().meta({ description: 'What the key may do in your own API.' }),
    remaining: z.int().nullable().meta({
      description: 'The credits that are left; null for a key without credits, and where the answer was clear before.',
    }),
    resetAt: Timestamp.nullable().meta({ description: 'When the credits are refilled; null for never.' }),
    retryAfter: z.int().nullable().meta({
      description: 'After how many seconds the same call would pass, if no other comes; null unless waiting helps.',
    }),
    rateLimits: z
      .array(
        z
          .object({
            name: z.string().meta({ description: 'The limit.', example: 'requests' }),
            remaining: z.int().meta({ description: 'How many calls are left.' }),
            resetAt: Timestamp.meta({ description: 'When all calls are left again, if none comes.' }),
          })
          .meta({ id: 'RateLimitState', description: 'A limit after the call.' }),
      )
      .nullable()
      .meta({ description: 'The limits that were asked for; empty where the answer was clear before.' }),
    metadata: Metadata.nullable().meta({ description: 'The metadata of the key.' }),
  })
  .meta({ id: 'VerifiedKey', description: 'Whether a key may make a call to your own API, and what is left to it.' });
export type VerifiedKey = z.output<typeof VerifiedKey>;

export const exampleVerified: VerifiedKey = {
  valid: true,
  code: 'VALID',
  keyId: exampleId('key'),
  organizationId: exampleId('org'),
  externalId: 'customer-42',
  permissions: ['documents.*'],
  remaining: 999,
  resetAt: '2026-03-01T00:00:00.000Z',
  retryAfter: null,
  rateLimits: [{ name: 'requests', remaining: 99, resetAt: '2026-01-31T12:00:01.000Z' }],
  metadata: {},
};
