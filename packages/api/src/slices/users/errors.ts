import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  username_taken: {
    status: 409,
    title: 'Username taken',
    meaning: 'Another account has this username.',
    fix: 'Choose another username.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  users_username_key_unique: 'username_taken',
} as const satisfies UniqueConstraints<typeof errors>;
