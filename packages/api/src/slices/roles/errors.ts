import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  role_name_taken: { status: 409, title: 'Role name taken', fix: 'Choose another name for the role.' },
  role_cycle: {
    status: 409,
    title: 'Role would inherit from itself',
    fix: 'Choose a parent that does not inherit from this role.',
  },
  role_too_deep: {
    status: 409,
    title: 'Roles nested too deeply',
    fix: 'Choose a parent nearer to the top: a role has at most 5 generations above and including it.',
  },
  role_has_children: {
    status: 409,
    title: 'Role has children',
    fix: 'Give the roles that inherit from this one another parent first.',
  },
  system_role: {
    status: 409,
    title: 'System role',
    fix: 'Use a role of your own here: OWNER, ADMIN, MEMBER and VIEWER are given by PATCH …/members/{userId} and cannot be changed.',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  roles_name_unique: 'role_name_taken',
} as const satisfies UniqueConstraints<typeof errors>;
