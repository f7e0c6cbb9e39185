import { partitionsJob } from '../../data/day-partitions.ts';
import { purgeJob } from '../../data/purge.ts';
import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { OrganizationRestored } from '../organizations/events.ts';
import { makeAllDue } from './delivery/due.ts';
import { WebhookNoticeMailed } from './events.ts';
import { sweep } from './service/sweep.ts';

export { recoverDeliveries } from './service/recover.ts';

/** As long as what can be recovered. */
const ATTEMPT_DAYS = 30;

export const attemptPartitions = partitionsJob({
  name: 'webhooks.partitions',
  table: 'webhook_attempts',
  keptDays: ATTEMPT_DAYS,
});

export const purgeDeliveries = purgeJob('webhooks.purge_deliveries', [
  { table: 'webhook_deliveries', column: 'created_at', keptMs: 30 * 86_400_000 },
  { table: 'webhook_stats', column: 'day', keptMs: 31 * 86_400_000 },
]);

export const sweepWebhooks = job({
  name: 'webhooks.sweep',
  queue: 'webhooks',
  every: '5 minutes',
  concurrency: 1,
  run: (ctx, _, control) => sweep(ctx, control),
});

/** While an organization is deleted, nothing is sent; its deliveries wait. */
export const resumeRestored = job({
  name: 'webhooks.resume',
  queue: 'webhooks',
  on: OrganizationRestored,
  run: (ctx, event) => makeAllDue(ctx.db, event.organizationId!, ctx.now), // `record` names it for every such event
});

const SENTENCES = {
  FAILING: mailText`It has accepted nothing for two and a half days. After five days it is disabled.`,
  DISABLED: mailText`It has accepted nothing for five days, so it was disabled: nothing is sent to it any more.`,
  GONE: mailText`It answered 410 Gone, so it was disabled: nothing is sent to it any more.`,
};

/** At most two for each time that a webhook begins to fail. */
export const mailNotice = mailJob({
  name: 'webhooks.mail_notice',
  on: WebhookNoticeMailed,
  unlimited: true,
  compose: async (_, { data: { organization, url, notice } }) => ({
    subject:
      notice === 'FAILING'
        ? mailText`A webhook of ${organization} fails`
        : mailText`A webhook of ${organization} was disabled`,
    paragraphs: [
      mailText`The webhook ${url} of ${organization} does not accept events.`,
      SENTENCES[notice],
      mailText`When it works again, enable it and have what failed sent again.`,
    ],
    action: { label: 'How to recover what failed', path: '/docs/guides/webhooks' },
    footnote: mailText`You manage this organization, or you created this webhook.`,
  }),
});
