import type { ErrorRows, UniqueConstraints } from '../../contract/error-rows.ts';

export const errors = {
  invitation_for_another: {
    status: 403,
    title: 'Invitation for another address',
    meaning: 'The invitation was sent to an address that is not the one of the signed-in user.',
    fix: 'Sign in with the e-mail address that was invited, or ask for an invitation to yours.',
    retry: 'no',
  },
  invitation_pending: {
    status: 409,
    title: 'Already invited',
    meaning: 'The organization has invited this address already, and waits for an answer.',
    fix: 'Resend or revoke the pending invitation to this address.',
    retry: 'no',
  },
  invitation_not_pending: {
    status: 409,
    title: 'Invitation not pending',
    meaning: 'The invitation has been answered or revoked, so it cannot be changed.',
    fix: 'Create a new invitation: this one was accepted, declined or revoked.',
    retry: 'no',
  },
  invitation_no_longer_valid: {
    status: 409,
    title: 'Invitation no longer valid',
    meaning: 'The sender of the invitation no longer has the permissions of its role, or is no longer a member.',
    fix: 'Ask for a new invitation: the sender of this one may no longer grant its role.',
    retry: 'no',
  },
} as const satisfies ErrorRows;

export const uniqueConstraints = {
  organization_invitations_pending_unique: 'invitation_pending',
} as const satisfies UniqueConstraints<typeof errors>;
