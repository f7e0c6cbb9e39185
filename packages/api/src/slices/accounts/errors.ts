import type { ErrorRows } from '../../contract/error-rows.ts';

export const errors = {
  email_taken: {
    status: 409,
    title: 'E-mail address taken',
    meaning: 'Another account has this e-mail address.',
    fix: 'Use another address, or the account that has this one.',
    retry: 'no',
  },
  last_super_admin: {
    status: 409,
    title: 'Last super administrator',
    meaning: 'The account is the only active super administrator of the platform.',
    fix: 'Make another account a super administrator first: `rentapi create-admin ada@example.com`.',
    retry: 'no',
  },
  account_deleted: {
    status: 409,
    title: 'Account deleted',
    meaning: 'The account was deleted, and can still be restored.',
    fix: 'Activate the account first: that restores it.',
    retry: 'no',
  },
  account_erased: {
    status: 409,
    title: 'Account erased',
    meaning: 'The account was deleted more than 30 days ago, and its personal data are gone.',
    fix: 'Create a new account: a deleted one can be restored for 30 days only.',
    retry: 'no',
  },
} as const satisfies ErrorRows;
