import type { z } from 'zod';
import type { Context } from '../../../context.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { record } from '../../../events/record.ts';
import { recipientsOf } from '../../members/service/recipients.ts';
import { organizationName } from '../../organizations/service/find.ts';
import { WebhookNoticeMailed } from '../events.ts';
import type { WebhookModel } from '../model.ts';

type Notice = z.output<typeof WebhookNoticeMailed.data>['notice'];

/** Mails owners, admins and the creator: in the transaction of what they are to know. */
export async function mailNotice(ctx: Context & Tenancy, webhook: WebhookModel, notice: Notice): Promise<void> {
  const { id: organizationId } = ctx.organization;
  const organization = await organizationName(ctx, organizationId);
  const creator = webhook.createdBy === null ? [] : [webhook.createdBy];
  for (const { id, email } of await recipientsOf(ctx, ['OWNER', 'ADMIN'], creator))
    await record(ctx, WebhookNoticeMailed, {
      target: webhook,
      organizationId,
      data: { userId: ctx.ids.encode('usr', id), email, organization, url: webhook.url, notice },
    });
}
