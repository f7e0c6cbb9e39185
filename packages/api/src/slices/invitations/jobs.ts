import type { Context } from '../../context.ts';
import { purgeJob } from '../../data/purge.ts';
import type { RecordedEvent } from '../../jobs/job.ts';
import type { MailContent } from '../../mail/compose.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { organizationName } from '../organizations/service/find.ts';
import { InvitationCreated, InvitationResent } from './events.ts';
import type { Invitation } from './schemas.ts';
import { mintInvitationToken } from './service/token.ts';

async function compose(ctx: Context, event: RecordedEvent<Invitation>): Promise<MailContent | null> {
  const token = await mintInvitationToken(ctx, event);
  if (!token) return null; // revoked, accepted, declined or sent again in the meantime
  const name = await organizationName(ctx, event.organizationId!);
  return {
    subject: mailText`You are invited to ${name}`,
    paragraphs: [mailText`You are invited to join ${name} as ${event.data.role}.`],
    action: { label: 'See the invitation', path: `/accept-invitation?token=${token}` },
    footnote: mailText`The link works once, for 7 days. If you do not know the organization, ignore this mail.`,
  };
}

export const mailNewInvitation = mailJob({ name: 'invitations.mail', on: InvitationCreated, compose });
export const mailInvitationAgain = mailJob({ name: 'invitations.mail_again', on: InvitationResent, compose });

/** The addresses of people who did not join, or left since, are not kept for ever. */
export const purgeOld = purgeJob('invitations.purge_old', [
  { table: 'organization_invitations', column: 'expires_at', keptMs: 90 * 86_400_000 },
]);
