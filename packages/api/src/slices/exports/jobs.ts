import { job } from '../../jobs/job.ts';
import { mailJob } from '../../mail/mail-job.ts';
import { mailText } from '../../mail/mail-text.ts';
import { ExportReady, ExportRequested } from './events.ts';
import { makeExport, purgeExports } from './service/make.ts';

export const make = job({
  name: 'exports.make',
  queue: 'maintenance',
  concurrency: 2,
  attempts: 5,
  on: ExportRequested,
  run: (ctx, { data }, control) => makeExport(ctx, ctx.ids.decode('exp', data.exportId), control),
});

/** Only the user can cause it. */
export const mailReady = mailJob({
  name: 'exports.mail_ready',
  on: ExportReady,
  unlimited: true,
  compose: async (_, { data }) => ({
    subject: mailText`Your data are ready`,
    paragraphs: [mailText`The copy of your data that you asked for is ready: a ZIP archive of JSON files.`],
    action: { label: 'Download my data', path: `/download-export?token=${data.exportId}` },
    footnote: mailText`You sign in to download it. It is deleted after 24 hours. If you did not ask for it, change your password.`,
  }),
});

export const purge = job({
  name: 'exports.purge',
  queue: 'maintenance',
  every: '1 hour',
  concurrency: 1,
  purges: [{ table: 'user_exports', column: 'expires_at', keptMs: 0 }],
  run: (ctx, _, control) => purgeExports(ctx, control),
});
