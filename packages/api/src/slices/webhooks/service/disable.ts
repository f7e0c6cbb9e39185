import { type Ports, systemContext, within } from '../../../context.ts';
import { iso } from '../../../contract/common-schemas.ts';
import { change } from '../../../data/base-model.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { WebhookDisabled } from '../events.ts';
import { WebhookModel } from '../model.ts';
import { mailNotice } from './notice.ts';

interface Which {
  organizationId: number;
  webhookId: number;
}

/** Disables a webhook whose receiver does not want or accept events. Repeating it changes nothing. */
export async function disableWebhook(
  ports: Ports,
  { organizationId, webhookId }: Which,
  disabledReason: 'FAILING' | 'GONE',
): Promise<void> {
  await transaction(systemContext(ports, `webhook-${webhookId}`), async (ctx) => {
    const inOrganization = within(ctx, organizationId);
    const before = await WebhookModel.of(inOrganization).findOne({ id: webhookId, enabled: true }).forUpdate();
    if (!before) return;
    const after = await change(ctx, before, { enabled: false, disabledReason });
    const health = await ctx.db('webhook_health').where({ organizationId, webhookId }).first('failingSince');
    const failingSince: Date | null = health?.failingSince ?? null;
    await record(ctx, WebhookDisabled, {
      target: after,
      before,
      after,
      organizationId,
      data: { ...after.present(ctx.ids), failingSince: failingSince && iso(failingSince) },
    });
    await mailNotice(inOrganization, after, disabledReason === 'GONE' ? 'GONE' : 'DISABLED');
  });
}
