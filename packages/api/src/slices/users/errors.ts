import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  username_taken: { status: 409, title: 'Username taken', fix: 'Choose another username.' },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  users_username_key_unique: 'username_taken',
} as const satisfies UniqueConstraints<typeof errors>;
