import type { ProviderName } from '@rentapi/payments/payment-provider';
import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf, selectRows } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { PaymentMethodModel } from '../model.ts';
import type { ListPaymentMethods, PaymentMethodPage } from '../schemas.ts';

const SHOWN = ['PENDING', 'ACTIVE'] as const;

export async function listMethods(ctx: OrganizationContext, input: ListPaymentMethods): Promise<PaymentMethodPage> {
  const list = { name: 'payment-methods', of: ctx.organization.id };
  const query = rowsOf(PaymentMethodModel.of(ctx).whereIn('status', [...SHOWN]));
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, query);
  return { items: rows.map((method) => method.present(ctx.ids, ctx.now)), nextCursor };
}

export async function findMethod(ctx: Tenancy, id: number): Promise<PaymentMethodModel> {
  const found = await PaymentMethodModel.of(ctx)
    .findOne({ id })
    .whereIn('status', [...SHOWN]);
  if (!found) throw new ApiError('not_found');
  return found;
}

/** What an organization is charged by, where no method is named. */
export interface DefaultMethod {
  id: number;
  provider: ProviderName;
  externalId: string;
  customerId: string | null;
  /** The same for the same card or account, of any organization. */
  fingerprint: string | null;
}

const CHARGED = `
  select * from payment_methods where organization_id = $1 and provider = $2 and status = 'ACTIVE'
  order by is_default desc, id desc limit 1`;

/** The default one where it is of this provider, else the newest of it: what was chosen there last. */
export async function methodAt(ctx: Tenancy, provider: ProviderName): Promise<DefaultMethod | null> {
  const [found] = await selectRows(ctx.db, PaymentMethodModel, CHARGED, [ctx.organization.id, provider]);
  return found ? charged(found) : null;
}

/** Also an expired one: banks charge the card that has replaced it. */
export async function defaultMethodOf(ctx: Tenancy): Promise<DefaultMethod | null> {
  const found = await PaymentMethodModel.of(ctx).findOne({ isDefault: true });
  return found ? charged(found) : null;
}

/** One that is ACTIVE, as the default is. */
const charged = ({ id, provider, externalId, customerId, fingerprint }: PaymentMethodModel): DefaultMethod => ({
  id,
  provider,
  externalId: externalId!,
  customerId,
  fingerprint,
});
