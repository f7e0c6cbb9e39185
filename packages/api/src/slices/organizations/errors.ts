import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  name_reserved: {
    status: 400,
    title: 'Reserved name',
    meaning: 'The slug or subdomain is reserved, or looks like a reserved one.',
    fix: 'Choose another name: this one, or one that looks like it, is kept for the service itself.',
    retry: 'no',
  },
  slug_taken: {
    status: 409,
    title: 'Slug taken',
    meaning: 'Another organization has this slug, or one that looks like it.',
    fix: 'Choose another slug: this one, or one that looks like it, is in use.',
    retry: 'no',
  },
  subdomain_taken: {
    status: 409,
    title: 'Subdomain taken',
    meaning: 'Another organization has this subdomain, or one that looks like it.',
    fix: 'Choose another subdomain: this one, or one that looks like it, is in use.',
    retry: 'no',
  },
  personal_organization: {
    status: 409,
    title: 'Personal organization',
    meaning: 'The organization was made at registration for one person: it cannot be left, deleted or transferred.',
    fix: 'Use another organization: a personal one stays with its person as long as the account exists.',
    retry: 'no',
  },
  deletion_protected: {
    status: 409,
    title: 'Protected from deletion',
    meaning: 'The organization is protected from deletion by its own setting.',
    fix: 'Set `deletionProtection` of the organization to false first.',
    retry: 'no',
  },
  restore_window_over: {
    status: 409,
    title: 'Too late to restore',
    meaning: 'The organization was deleted more than 30 days ago.',
    fix: 'Create a new organization: a deleted one can be restored for 30 days only.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  organizations_slug_unique: 'slug_taken',
  organizations_subdomain_unique: 'subdomain_taken',
} as const satisfies UniqueConstraints<typeof errors>;
