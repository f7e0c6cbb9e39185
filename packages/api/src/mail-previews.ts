import { randomUUID } from 'node:crypto';
import type { Knex } from '@rentapi/platform/database';
import type { Mail } from '@rentapi/platform/mail';
import { type Context, type Ports, systemContext } from './context.ts';
import { exampleId } from './contract/ids.ts';
import type { Job, RecordedEvent } from './jobs/job.ts';
import { createAccount } from './slices/auth/service/register.ts';
import { InvitationModel } from './slices/invitations/model.ts';
import { exampleInvitation } from './slices/invitations/schemas.ts';

/** A mail as its job would send it for the example of its event. */
export interface MailPreview {
  /** Of the job. */
  name: string;
  /** What happened. */
  cause: string;
  mail: Mail;
}

/**
 * Every kind of mail there is, without anything having happened. Jobs may make tokens and read rows for a mail, so they
 * run on sample rows, in a transaction that is rolled back.
 */
export async function previewMails(ports: Ports): Promise<MailPreview[]> {
  const ctx = systemContext(ports, 'mail-previews');
  return rolledBack(ctx.db, async (db) => {
    const samples = await makeSamples({ ...ctx, db });
    const previews: MailPreview[] = [];
    for (const job of ports.jobs.all) {
      const event = exampleOf(job, samples, ctx.now);
      if (!event) continue;
      const mail = await rolledBack(db, async (db) => job.preview?.({ ...ctx, db }, event));
      if (mail) previews.push({ name: job.name, cause: job.on!.description, mail });
    }
    return previews.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

async function rolledBack<T>(db: Knex, work: (db: Knex) => Promise<T>): Promise<T> {
  const transaction = await db.transaction();
  try {
    return await work(transaction);
  } finally {
    await transaction.rollback();
  }
}

interface Samples {
  organizationId: number;
  /** Ids of the examples, and the sample row that each stands for. */
  ids: ReadonlyMap<string, string>;
}

async function makeSamples(ctx: Context): Promise<Samples> {
  const account = { email: `${randomUUID()}@example.com`, fullName: 'Ada Lovelace', passwordHash: null };
  const user = await createAccount(ctx, { ...account, emailVerifiedAt: ctx.now });
  const organization = { id: user.personalOrganizationId };
  const { email, role, updatedAt } = exampleInvitation;
  const invitation = await InvitationModel.add(
    { db: ctx.db, organization },
    {
      email,
      emailKey: email,
      role,
      status: 'PENDING',
      inviterUserId: user.id,
      expiresAt: ctx.now,
      createdAt: ctx.now,
      updatedAt: new Date(updatedAt),
    },
  );
  const ids = new Map([
    [exampleId('usr'), ctx.ids.encode('usr', user.id)],
    [exampleId('org'), ctx.ids.encode('org', organization.id)],
    [exampleId('ivt'), ctx.ids.encode('ivt', invitation.id)],
  ]);
  return { organizationId: organization.id, ids };
}

function exampleOf({ preview, on }: Job, { organizationId, ids }: Samples, createdAt: Date): RecordedEvent | null {
  if (!preview || !on) return null;
  const data = JSON.parse(JSON.stringify(on.example), (_, value) => ids.get(value) ?? value);
  return { id: 1, organizationId: on.audience === 'person' ? null : organizationId, type: on.name, data, createdAt };
}
