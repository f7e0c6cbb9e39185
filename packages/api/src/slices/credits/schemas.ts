import { z } from 'zod';
import { CreatedAt, Timestamp, TimestampInput } from '../../contract/common-schemas.ts';
import { exampleId, id } from '../../contract/ids.ts';
import { page, pageInput } from '../../contract/pagination.ts';

const credits = (description: string, example: number) => z.int().min(0).meta({ description, example });

const Source = z.enum(['ADJUSTMENT', 'PAYMENT', 'PLAN']).meta({
  id: 'CreditSource',
  description: 'Where credits came from: staff granted them, they were bought, or a plan includes them.',
  example: 'PAYMENT',
});

const CreditGrant = z
  .object({
    id: id('crd'),
    source: Source,
    credits: credits('How many were granted.', 1000),
    remaining: credits('How many of them can still be spent.', 640),
    frozen: credits('How many cannot be spent while their payment is disputed.', 0),
    expiresAt: Timestamp.nullable().meta({ description: 'When what is left of them expires; null for never.' }),
    createdAt: CreatedAt,
  })
  .meta({ id: 'CreditGrant', description: 'Credits that an organization was given at once.' });
export type CreditGrant = z.output<typeof CreditGrant>;

export const MAX_GRANTS = 100;
export const CreditBalance = z
  .object({
    available: credits('How many can be spent.', 640),
    held: credits('How many are reserved for work that has not ended.', 0),
    owed: credits('How many were spent of payments that were taken back: the next credits make up for them first.', 0),
    grants: z
      .array(CreditGrant)
      .meta({ description: `Those of which something is left, in the order of spending; at most ${MAX_GRANTS}.` }),
  })
  .meta({ id: 'CreditBalance', description: 'The credits of an organization.' });
export type CreditBalance = z.output<typeof CreditBalance>;

const EntryKind = z.enum(['GRANT', 'SPEND', 'RESERVE', 'RELEASE', 'EXPIRE', 'REVOKE', 'FREEZE', 'THAW', 'DEBT']).meta({
  id: 'CreditEntryKind',
  description:
    'What happened: credits were granted, spent, reserved for work, or released by it; expired, were revoked, frozen by a dispute, or thawed after it; or made up for a debt.',
  example: 'SPEND',
});

const CreditEntry = z
  .object({
    number: z.int().meta({ description: 'Counts the entries of the organization, without gaps.', example: 42 }),
    kind: EntryKind,
    credits: z.int().meta({ description: 'How the balance changed.', example: -10 }),
    availableAfter: credits('The balance after it.', 640),
    grantId: id('crd'),
    reason: z.string().nullable().meta({ description: 'Why staff changed the balance; else null.', example: null }),
    createdAt: CreatedAt,
  })
  .meta({ id: 'CreditEntry', description: 'A change of the balance. Entries are never changed or removed.' });
export type CreditEntry = z.output<typeof CreditEntry>;

export const ListCredits = pageInput({});
export type ListCredits = z.output<typeof ListCredits>;
export const CreditEntryPage = page('CreditEntryPage', CreditEntry);
export type CreditEntryPage = z.output<typeof CreditEntryPage>;

const MAX_CREDITS = 1e9;
export const AdjustCredits = z
  .strictObject({
    userId: id('usr'),
    credits: z
      .int()
      .min(-MAX_CREDITS)
      .max(MAX_CREDITS)
      .refine((credits) => credits !== 0, 'must not be 0: it would change nothing')
      .meta({ description: 'How many to grant; below 0, how many to take.', example: 500 }),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .meta({ description: 'Why; the organization reads it.', example: 'Made good for the outage of 31 January' }),
    expiresAt: TimestampInput.optional().meta({
      description: 'When they expire; never if left out. Not for credits that are taken.',
    }),
  })
  .meta({ id: 'AdjustCredits', description: 'A change of the credits of a person.' });
export type AdjustCredits = z.output<typeof AdjustCredits>;

export const exampleGrant: CreditGrant = {
  id: exampleId('crd'),
  source: 'PAYMENT',
  credits: 1000,
  remaining: 640,
  frozen: 0,
  expiresAt: null,
  createdAt: '2026-01-31T12:00:00.000Z',
};

export const exampleEntry: CreditEntry = {
  number: 42,
  kind: 'SPEND',
  credits: -10,
  availableAfter: 640,
  grantId: exampleGrant.id,
  reason: null,
  createdAt: '2026-01-31T12:00:00.000Z',
};

const organization = { organizationId: id('org') };
const available = credits('The balance after it.', 640);

export const GrantedCredits = z
  .object({ ...organization, source: Source, credits: credits('How many were granted.', 1000), available })
  .meta({ id: 'GrantedCredits', description: 'Credits that an organization was given.' });
export const RemovedCredits = z
  .object({ ...organization, credits: credits('How many were removed.', 1000), available })
  .meta({ id: 'RemovedCredits', description: 'Credits that an organization has no more, without having spent them.' });
export const CreditsLeft = z
  .object({ ...organization, available })
  .meta({ id: 'CreditsLeft', description: 'What is left of the credits of an organization.' });
