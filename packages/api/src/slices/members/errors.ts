import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  permission_not_held: {
    status: 403,
    title: 'Permission not held',
    fix: 'Grant only permissions that you hold yourself in this organization.',
  },
  target_has_more_permissions: {
    status: 403,
    title: 'Member has more permissions',
    fix: 'Ask somebody who holds at least the permissions of that member: you cannot change who may do more than you.',
  },
  last_owner: {
    status: 409,
    title: 'Last owner',
    fix: 'Make another member OWNER first, or transfer ownership: an organization always has one.',
  },
  already_member: { status: 409, title: 'Already a member', fix: 'Change the role of the member instead.' },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  organization_members_user_unique: 'already_member',
} as const satisfies UniqueConstraints<typeof errors>;
