import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { type MailText, mailText } from '../../mail/mail-text.ts';
import { ExpiryMailed, InactiveKeysMailed } from './events.ts';
import { notifyExpiring, reportInactive } from './notices.ts';
import type { MailedKey, MailedKeys } from './schemas.ts';

const DAY_MS = 86_400_000;
/** Until then, a program with an earlier secret learns that its key was rotated, and not only that it is unknown. */
const KNOWN_AS_ROTATED_MS = 90 * DAY_MS;

export const purgeOldSecrets = purgeJob('api_keys.purge_old_secrets', [
  { table: 'api_key_old_secrets', column: 'expires_at', keptMs: KNOWN_AS_ROTATED_MS },
]);

/** Longer than a late notice may come, and than a month. */
export const purgeNotices = purgeJob('api_keys.purge_notices', [
  { table: 'api_key_notices', column: 'expires_at', keptMs: 30 * DAY_MS },
  { table: 'api_key_reports', column: 'month_start', keptMs: 90 * DAY_MS },
]);

/** At seven in the morning, so that someone is there soon. */
export const notifyExpiringKeys = job({
  name: 'api_keys.notify_expiring',
  queue: 'maintenance',
  every: '0 7 * * *',
  concurrency: 1,
  run: (ctx, _, control) => notifyExpiring(ctx, control),
});

export const reportInactiveKeys = job({
  name: 'api_keys.report_inactive',
  queue: 'maintenance',
  every: '0 8 1 * *',
  concurrency: 1,
  run: (ctx, _, control) => reportInactive(ctx, control),
});

const action = { label: 'How to renew, rotate and revoke keys', path: '/docs/guides/api-keys' };

/** At most one a day from each organization of which the person is a member. */
export const mailExpiry = mailJob({
  name: 'api_keys.mail_expiry',
  on: ExpiryMailed,
  unlimited: true,
  compose: async (_, { data, createdAt }) => ({
    subject: mailText`API keys of ${data.organization} expire`,
    paragraphs: [
      mailText`From its expiry on, every call with a key is refused. A later expiry, also of a key that has expired, takes effect at once.`,
      ...lines(data, (key) =>
        new Date(key.at ?? 0) > createdAt
          ? mailText`The key ${key.name}, which ends in ${key.last4}, expires on ${new Date(key.at ?? 0)} (UTC).`
          : mailText`The key ${key.name}, which ends in ${key.last4}, expired on ${new Date(key.at ?? 0)} (UTC).`,
      ),
    ],
    action,
    footnote: mailText`You manage this organization, or you created these keys. A key that is revoked is not mentioned again.`,
  }),
});

/** At most one a month from each organization that the person owns. */
export const mailInactive = mailJob({
  name: 'api_keys.mail_inactive',
  on: InactiveKeysMailed,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`API keys of ${data.organization} that nothing uses`,
    paragraphs: [
      mailText`A key that nothing uses is only a risk: revoke it, if you do not know what it is for.`,
      ...group(mailText`Not used for 90 days or more:`, data.longInactive),
      ...group(mailText`Not used for 30 days or more:`, data.inactive),
    ],
    action,
    footnote: mailText`You own this organization. The next report comes in a month.`,
  }),
});

function group(heading: MailText, keys: MailedKeys): MailText[] {
  if (keys.keys.length === 0) return [];
  const sentence = ({ name, last4, at }: MailedKey): MailText =>
    at === null
      ? mailText`The key ${name}, which ends in ${last4}, was never used.`
      : mailText`The key ${name}, which ends in ${last4}, was last used on ${new Date(at)} (UTC).`;
  return [heading, ...lines(keys, sentence)];
}

function lines({ keys, more }: MailedKeys, sentence: (key: MailedKey) => MailText): MailText[] {
  return [...keys.map(sentence), ...(more > 0 ? [mailText`And ${more} more.`] : [])];
}
