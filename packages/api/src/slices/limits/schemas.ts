import { z } from 'zod';
import { CreatedAt, Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { FEATURES, OVERAGES, PLAN_CODES } from '../../contract/plans.ts';
import { OrganizationPermission } from '../roles/schemas.ts';

const Plan = z.enum(PLAN_CODES).meta({ description: 'What the organization pays for.' });

const IncludedCalls = z
  .int()
  .meta({ description: 'Calls with live keys that the plan includes in a month of UTC.', example: 10_000 });
const Overage = z.enum(OVERAGES).meta({ description: 'What happens to further calls.' });

const EntitledLimit = z
  .object({
    name: z.string().meta({ description: 'As `RateLimit-Policy` and refusals name it.', example: 'plan-hour' }),
    limit: z.int().meta({ description: 'The most there may be.', example: 1000 }),
    windowS: z
      .int()
      .nullable()
      .meta({ description: 'The time in which it fills again; null for what is counted while it is open.' }),
    of: z
      .enum(['organization', 'caller'])
      .meta({ description: 'Who shares it: all of the organization, or you alone.' }),
    because: z.string().meta({ description: 'What decided it, in words.', example: '1,000/h because plan BASIC' }),
    override: z
      .object({ id: id('ovr'), until: Timestamp.meta({ description: 'From then on the plan counts again.' }) })
      .nullable()
      .meta({ description: 'What staff granted in place of it; null for nothing.' }),
  })
  .meta({ id: 'EntitledLimit', description: 'One limit, and what decided it.' });

const Cap = z
  .object({
    name: z.string().meta({ description: 'What is counted.', example: 'api_keys' }),
    limit: z.int().meta({ description: 'The most there may be.', example: 1000 }),
    of: z.string().meta({ description: 'For each of which it counts.', example: 'organization' }),
    description: z.string().meta({ description: 'What it is.', example: 'Keys that work.' }),
  })
  .meta({ id: 'Cap', description: 'A fixed number that is the same for every plan.' });
export type Cap = z.output<typeof Cap>;

export const Entitlements = z
  .object({
    plan: Plan,
    planUntil: Timestamp.nullable().meta({
      description:
        'When another plan takes its place, if nothing more is paid: a period that is paid, and its grace. Null for never.',
    }),
    features: z.array(z.enum(FEATURES)).meta({ description: 'What the plan includes.' }),
    scopes: z.array(OrganizationPermission).meta({ description: 'The permissions that keys and members can have.' }),
    limits: z.array(EntitledLimit).meta({ description: 'How much you may use, and why.' }),
    includedCalls: z
      .object({
        perMonth: IncludedCalls,
        overage: Overage,
        refusedUntil: Timestamp.nullable().meta({
          description: 'Until then calls with live keys are refused; or null.',
        }),
      })
      .meta({
        id: 'IncludedCalls',
        description: 'The calls that the plan includes in a month, and what follows them.',
      }),
    creditsPerCall: z.int().meta({ description: 'Credits of the organization that a call spends.', example: 0 }),
    caps: z.array(Cap).meta({ description: 'What is the same for every plan.' }),
  })
  .meta({ id: 'Entitlements', description: 'What the organization may use, and what decided each part of it.' });
export type Entitlements = z.output<typeof Entitlements>;

export const exampleEntitlements: Entitlements = {
  plan: 'BASIC',
  planUntil: '2026-03-03T12:00:00.000Z',
  features: ['api_keys', 'realtime'],
  scopes: ['api_keys:read'],
  limits: [
    {
      name: 'plan-hour',
      limit: 5000,
      windowS: 3600,
      of: 'organization',
      because: `5,000/h because plan BASIC + override ${exampleId('ovr')}`,
      override: { id: exampleId('ovr'), until: '2026-03-01T00:00:00.000Z' },
    },
  ],
  includedCalls: { perMonth: 100_000, overage: 'bill', refusedUntil: null },
  creditsPerCall: 0,
  caps: [{ name: 'api_keys', limit: 1000, of: 'organization', description: 'Keys that work.' }],
};

const Count = z.int().min(1).max(1_000_000_000);
const overridden = {
  perHour: z.int().nullable().meta({ description: 'Calls an hour; null where it is not overridden.' }),
  perDay: z.int().nullable().meta({ description: 'Calls a day; null where it is not overridden.' }),
  sockets: z.int().nullable().meta({ description: 'Open sockets; null where it is not overridden.' }),
  subscriptions: z.int().nullable().meta({ description: 'Open subscriptions; null where it is not overridden.' }),
};

export const LimitOverride = z
  .object({
    id: id('ovr'),
    organizationId: id('org'),
    keyId: id('key').nullable().meta({ description: 'The key that it is about; null for the organization.' }),
    ...overridden,
    reason: z.string().meta({ description: 'Why. The organization sees it.', example: 'Launch on 1 March' }),
    until: Timestamp.meta({ description: 'It ends then by itself.' }),
    createdBy: id('usr').meta({ description: 'The member of staff who made it.' }),
    createdAt: CreatedAt,
  })
  .meta({ id: 'LimitOverride', description: 'Limits that staff granted in place of those of a plan or a key.' });
export type LimitOverride = z.output<typeof LimitOverride>;

export const exampleOverride: LimitOverride = {
  id: exampleId('ovr'),
  organizationId: exampleId('org'),
  keyId: null,
  perHour: 5000,
  perDay: null,
  sockets: null,
  subscriptions: null,
  reason: 'Launch on 1 March',
  until: '2030-03-15T00:00:00.000Z',
  createdBy: exampleId('usr'),
  createdAt: '2026-02-01T09:00:00.000Z',
};

export const LimitOverrides = z
  .object({
    plan: Plan,
    items: z.array(LimitOverride).meta({ description: 'Those that count now, of the organization and of its keys.' }),
    nextCursor: z.null().meta({ description: 'All are on one page.' }),
  })
  .meta({ id: 'LimitOverrides', description: 'The plan of an organization, and what counts in place of its limits.' });
export type LimitOverrides = z.output<typeof LimitOverrides>;

export const ChangedLimits = z
  .object({
    organizationId: id('org'),
    keyId: id('key').nullable().meta({ description: 'The key whose limits changed; null for the organization.' }),
    override: LimitOverride.nullable().meta({ description: 'What counts now; null when the override was ended.' }),
  })
  .meta({ id: 'ChangedLimits', description: 'Limits that staff changed.' });

export const ReachedThreshold = z
  .object({
    organizationId: id('org'),
    month: z.string().meta({ description: 'The month, in UTC.', example: '2026-02' }),
    percent: z.int().meta({ description: '50, 80 or 100.', example: 80 }),
    calls: z.int().meta({ description: 'Calls with live keys in the month, when they were counted.', example: 80_412 }),
    included: IncludedCalls,
    overage: Overage,
  })
  .meta({ id: 'ReachedThreshold', description: 'A part of the calls that the plan includes in a month.' });

export const GetLimits = z.strictObject({ orgId: id('org') });

export const SetLimits = GetLimits.extend({
  keyId: id('key').optional().meta({ description: 'A key of the organization, to override the limits of that key.' }),
  perHour: Count.nullish().meta({ description: 'Calls an hour with its keys, or with the key.' }),
  perDay: Count.nullish().meta({ description: 'Calls a day with its keys, or with the key.' }),
  sockets: Count.nullish().meta({ description: 'Sockets that are open at once.' }),
  subscriptions: Count.nullish().meta({ description: 'Subscriptions that are open at once.' }),
  reason: z.string().trim().min(1).max(500).meta({ description: 'Why. The organization sees it.' }),
  until: TimestampInput.meta({ description: 'It ends then by itself.' }),
}).meta({
  id: 'SetLimits',
  description:
    'What counts instead of the plan, or of the settings of the key. It takes the place of the present override; without any number it ends that.',
});
export type SetLimits = z.output<typeof SetLimits>;
