import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  permission_not_held: {
    status: 403,
    title: 'Permission not held',
    meaning: 'A caller can grant only permissions that they have, and this role has more.',
    fix: 'Grant only permissions that you have in this organization.',
    retry: 'no',
  },
  target_has_more_permissions: {
    status: 403,
    title: 'Person has more permissions',
    meaning: 'The person has permissions that the caller does not have, so the caller cannot change or remove them.',
    fix: 'Ask someone with at least those permissions: you cannot change a person with more permissions than you.',
    retry: 'no',
  },
  last_owner: {
    status: 409,
    title: 'Last owner',
    meaning: 'The change would leave the organization without an OWNER.',
    fix: 'Make another member OWNER first, or transfer ownership: an organization always has one.',
    retry: 'no',
  },
  already_member: {
    status: 409,
    title: 'Already a member',
    meaning: 'The person is a member of this organization.',
    fix: 'Change the role of the member instead.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  organization_members_user_unique: 'already_member',
} as const satisfies UniqueConstraints<typeof errors>;
