import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  role_name_taken: {
    status: 409,
    title: 'Role name taken',
    meaning: 'Another role of the organization has this name.',
    fix: 'Choose another name for the role.',
    retry: 'no',
  },
  role_cycle: {
    status: 409,
    title: 'Role would inherit from itself',
    meaning: 'The parent is the role itself, or inherits from it.',
    fix: 'Choose a parent that does not inherit from this role.',
    retry: 'no',
  },
  role_too_deep: {
    status: 409,
    title: 'Roles nested too deeply',
    meaning: 'The role and its ancestors would be more than 5 generations.',
    fix: 'Choose a parent nearer to the top: a role has at most 5 generations above and including it.',
    retry: 'no',
  },
  role_has_children: {
    status: 409,
    title: 'Role has children',
    meaning: 'Other roles inherit from this one, so it cannot be deleted.',
    fix: 'Give the roles that inherit from this one another parent first.',
    retry: 'no',
  },
  system_role: {
    status: 409,
    title: 'System role',
    meaning: 'OWNER, ADMIN, MEMBER and VIEWER belong to the system: they are not custom roles.',
    fix: 'Use a custom role here: OWNER, ADMIN, MEMBER and VIEWER are assigned with PATCH …/members/{userId} and cannot be changed.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  roles_name_unique: 'role_name_taken',
} as const satisfies UniqueConstraints<typeof errors>;
