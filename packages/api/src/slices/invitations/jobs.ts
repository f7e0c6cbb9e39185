import type { Context } from '../../context.ts';
import { job, type RecordedEvent } from '../../jobs/job.ts';
import { composeMail } from '../../mail/compose.ts';
import { organizationName } from '../organizations/service/find.ts';
import { InvitationCreated, InvitationResent } from './events.ts';
import type { Invitation } from './schemas.ts';
import { mintInvitationToken } from './service/token.ts';

async function mailInvitation(ctx: Context, event: RecordedEvent<Invitation>): Promise<void> {
  const token = await mintInvitationToken(ctx, event);
  if (!token) return; // revoked, settled or sent again meanwhile
  const name = await organizationName(ctx, event.organizationId!);
  await ctx.ports.mailer.send(
    composeMail(ctx, event, {
      to: event.data.email,
      subject: `You are invited to ${name}`,
      paragraphs: [`You are invited to join ${name} as ${event.data.role}.`],
      action: { label: 'See the invitation', path: `/accept-invitation?token=${token}` },
      footnote: 'The link works once, for 7 days. If you do not know the organization, ignore this mail.',
    }),
  );
}

export const mailNewInvitation = job({
  name: 'invitations.mail',
  queue: 'emails',
  on: InvitationCreated,
  run: mailInvitation,
});
export const mailInvitationAgain = job({
  name: 'invitations.mail_again',
  queue: 'emails',
  on: InvitationResent,
  run: mailInvitation,
});
