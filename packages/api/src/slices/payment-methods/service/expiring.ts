import { execute, type Statement } from '@rentapi/platform/database';
import { type Context, within } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import type { RunControl } from '../../../jobs/job.ts';
import { recipientsOf } from '../../members/service/recipients.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { PaymentMethodExpiring, PaymentMethodExpiryMailed } from '../events.ts';
import { PaymentMethodModel } from '../model.ts';
import type { TenantContext } from './customers.ts';
import { patch } from './rows.ts';

const DAY_MS = 86_400_000;
const NOTICE_MS = 14 * DAY_MS;
const BATCH = 100;

const EXPIRING: Statement = {
  text: `
    /* across organizations */
    select organization_id as "organizationId", id from payment_methods
    where status = 'ACTIVE' and expires_at > $1 and expires_at <= $2 and noticed_expires_at is distinct from expires_at
      and id > $3
    order by id limit ${BATCH}`,
};

/** Announces cards that expire within two weeks, each once; another expiry, of a new card, begins anew. */
export async function notifyExpiring(ctx: Context, { signal, touch }: RunControl): Promise<void> {
  const until = new Date(ctx.now.getTime() + NOTICE_MS);
  for (let after = 0, found = BATCH; found === BATCH && !signal.aborted; ) {
    const due = await execute<{ organizationId: number; id: number }>(ctx.db, EXPIRING, [ctx.now, until, after]);
    for (const { organizationId, id } of due) {
      if (signal.aborted) return;
      await transaction(ctx, (ctx) => notify(within(ctx, organizationId), id));
      touch();
    }
    found = due.length;
    after = due.at(-1)?.id ?? after;
  }
}

async function notify(ctx: TenantContext, id: number): Promise<void> {
  await lockOrganization(ctx);
  const row = await PaymentMethodModel.of(ctx).findOne({ id, status: 'ACTIVE' }).forUpdate();
  if (!row?.expiresAt || row.noticedExpiresAt?.getTime() === row.expiresAt.getTime()) return;
  const method = await patch(ctx, row, { noticedExpiresAt: row.expiresAt });
  const organization = await OrganizationModel.query(ctx.db).findById(method.organizationId).whereNull('deletedAt');
  if (!organization) return;
  await record(ctx, PaymentMethodExpiring, { target: method, data: method.present(ctx.ids, ctx.now) });
  const { brand, last4 } = method;
  const expiresAt = row.expiresAt.toISOString();
  for (const { id: userId, email } of await recipientsOf(ctx, ['OWNER', 'ADMIN'])) {
    const data = {
      userId: ctx.ids.encode('usr', userId),
      email,
      organization: organization.name,
      brand,
      last4,
      expiresAt,
    };
    await record(ctx, PaymentMethodExpiryMailed, { target: method, data });
  }
}
