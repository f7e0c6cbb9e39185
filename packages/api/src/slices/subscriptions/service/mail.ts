import type { z } from 'zod';
import { iso } from '../../../contract/common-schemas.ts';
import { record } from '../../../events/record.ts';
import { recipientsOf } from '../../members/service/recipients.ts';
import { organizationName } from '../../organizations/service/find.ts';
import { soldAt } from '../../plans/service/read.ts';
import { SubscriptionMailed } from '../events.ts';
import type { SubscriptionModel } from '../model.ts';
import type { TenantContext } from './move.ts';

type Notice = z.output<typeof SubscriptionMailed.data>['notice'];

/** To those who manage the organization, once: in the transaction of what it says. */
export async function mailSubscription(
  ctx: TenantContext,
  row: SubscriptionModel,
  notice: Notice,
  at: Date,
): Promise<void> {
  const organization = await organizationName(ctx, ctx.organization.id);
  const { plan } = await soldAt(ctx, row.priceId);
  for (const { email } of await recipientsOf(ctx, ['OWNER', 'ADMIN'])) {
    const data = { email, organization, plan: plan.name, notice, at: iso(at) };
    await record(ctx, SubscriptionMailed, { target: row, data });
  }
}
