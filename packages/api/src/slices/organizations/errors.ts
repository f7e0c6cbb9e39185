import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  name_reserved: {
    status: 400,
    title: 'Reserved name',
    fix: 'Choose another name: this one, or one that looks like it, is kept for the service itself.',
  },
  slug_taken: {
    status: 409,
    title: 'Slug taken',
    fix: 'Choose another slug: this one, or one that looks like it, is in use.',
  },
  subdomain_taken: {
    status: 409,
    title: 'Subdomain taken',
    fix: 'Choose another subdomain: this one, or one that looks like it, is in use.',
  },
  personal_organization: {
    status: 409,
    title: 'Personal organization',
    fix: 'Use another organization: a personal one stays with its person as long as the account exists.',
  },
  deletion_protected: {
    status: 409,
    title: 'Protected from deletion',
    fix: 'Set `deletionProtection` of the organization to false first.',
  },
  restore_window_over: {
    status: 409,
    title: 'Too late to restore',
    fix: 'Create a new organization: a deleted one can be restored for 30 days only.',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  organizations_slug_unique: 'slug_taken',
  organizations_subdomain_unique: 'subdomain_taken',
} as const satisfies UniqueConstraints<typeof errors>;
