import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  invitation_for_another: {
    status: 403,
    title: 'Invitation for another address',
    fix: 'Sign in with the e-mail address that was invited, or ask for an invitation to yours.',
  },
  invitation_pending: {
    status: 409,
    title: 'Already invited',
    fix: 'Resend or revoke the pending invitation to this address.',
  },
  invitation_not_pending: {
    status: 409,
    title: 'Invitation not pending',
    fix: 'Create a new invitation: this one was accepted, declined or revoked.',
  },
  invitation_no_longer_valid: {
    status: 409,
    title: 'Invitation no longer valid',
    fix: 'Ask for a new invitation: whoever sent this one may no longer grant its role.',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  organization_invitations_pending_unique: 'invitation_pending',
} as const satisfies UniqueConstraints<typeof errors>;
