import { purgeJob } from '../../data/purge.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { IdentityLinked, IdentityUnlinked } from './events.ts';

export const mailIdentityLinked = mailJob({
  name: 'oauth.mail_identity_linked',
  on: IdentityLinked,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`You can now log in with ${data.providerName}`,
    paragraphs: [
      mailText`A login at ${data.providerName} was linked to your account: it opens the account from now on.`,
    ],
    footnote: mailText`If this was not you, set another password, and unlink it in your account.`,
  }),
});

export const mailIdentityUnlinked = mailJob({
  name: 'oauth.mail_identity_unlinked',
  on: IdentityUnlinked,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`${data.providerName} no longer opens your account`,
    paragraphs: [mailText`The login at ${data.providerName} was unlinked from your account.`],
    footnote: mailText`If this was not you, set another password now.`,
  }),
});

/** Used codes are kept for a while, because a second use ends the session of the first. */
export const purgeCodes = purgeJob('oauth.purge_codes', [
  { table: 'oauth_codes', column: 'expires_at', keptMs: 3_600_000 },
]);
