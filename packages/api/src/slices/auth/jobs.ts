import type { Context } from '../../context.ts';
import { purge } from '../../data/purge.ts';
import { job, type RecordedEvent } from '../../jobs/job.ts';
import { composeMail } from '../../mail/compose.ts';
import type { User } from '../users/schemas.ts';
import { RegistrationRepeated, UserRegistered, VerificationRequested } from './events.ts';
import { eraseSealedChildren } from './service/refresh.ts';
import { mintEmailToken } from './service/verify-email.ts';

const verify = async (ctx: Context, event: RecordedEvent<User>): Promise<void> => {
  if (event.data.emailVerifiedAt) return; // made by somebody who vouched for the address
  const token = await mintEmailToken(ctx, ctx.ids.decode('usr', event.data.id));
  await ctx.ports.mailer.send(
    composeMail(ctx, event, {
      to: event.data.email,
      subject: 'Confirm your e-mail address',
      paragraphs: ['Welcome. Please confirm that this address is yours.'],
      action: { label: 'Confirm e-mail address', path: `/verify-email?token=${token}` },
      footnote: 'The link works once, for 24 hours. If you did not register, ignore this mail.',
    }),
  );
};

export const mailVerification = job({
  name: 'auth.mail_verification',
  queue: 'emails',
  on: UserRegistered,
  run: verify,
});
export const mailVerificationAgain = job({
  name: 'auth.mail_verification_again',
  queue: 'emails',
  on: VerificationRequested,
  run: verify,
});

/** Somebody registered with an address that has an account: its owner learns of it, the caller does not. */
export const mailRepeatedRegistration = job({
  name: 'auth.mail_repeated_registration',
  queue: 'emails',
  on: RegistrationRepeated,
  async run(ctx, event) {
    await ctx.ports.mailer.send(
      composeMail(ctx, event, {
        to: event.data.email,
        subject: 'You already have an account',
        paragraphs: [
          'Somebody, perhaps you, tried to register with this address. It has an account already: log in instead.',
        ],
        action: { label: 'Open', path: '/' },
        footnote: 'If this was not you, nothing has changed and there is nothing to do.',
      }),
    );
  },
});

export const eraseSealed = job({
  name: 'auth.erase_sealed_tokens',
  queue: 'maintenance',
  every: '1 minute',
  run: (ctx, _, work) => eraseSealedChildren(ctx, work),
});

/** For whoever asks later what a session was. */
const ENDED_SESSION_KEPT_MS = 30 * 86_400_000;

/** A session's refresh tokens go with it; those it has outlived go before. */
export const purgeExpired = job({
  name: 'auth.purge_expired',
  queue: 'maintenance',
  every: '1 hour',
  async run(ctx, _, work) {
    const before = new Date(ctx.now.getTime() - ENDED_SESSION_KEPT_MS);
    await purge(ctx, work, { table: 'verification_tokens', column: 'expires_at', before: ctx.now });
    await purge(ctx, work, { table: 'refresh_tokens', column: 'expires_at', before: ctx.now });
    await purge(ctx, work, { table: 'sessions', column: 'expires_at', before });
  },
});
