import { isDeepStrictEqual } from 'node:util';
import type { PaymentMethod, ProviderName } from '@rentapi/payments/payment-provider';
import { type Context, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { record } from '../../../events/record.ts';
import { enqueue } from '../../../jobs/enqueue.ts';
import type { Apply } from '../../billing/service/sync.ts';
import { lockOrganization } from '../../organizations/service/lock.ts';
import { PaymentMethodUpdated } from '../events.ts';
import { PaymentMethodModel } from '../model.ts';
import { applySetup } from './apply-setup.ts';
import { ownerOfCustomer, type TenantContext } from './customers.ts';
import { settleMethod } from './look.ts';
import { activate, dropCustomer, dropGone, fieldsOf, patch } from './rows.ts';
import { MAX_METHODS } from './set-up.ts';

/** What is read of a provider's object belongs to a method or a customer of ours, or is none of ours. */

export const projectSetup: Apply = async (ctx, { name }, { id }, read) => {
  const setup = read && 'method' in read ? read : null;
  const methodId = idIn(ctx, setup?.reference);
  const rows = PaymentMethodModel.acrossOrganizations(ctx.db).where({ provider: name });
  const row =
    (await rows.clone().findOne({ setupId: id })) ??
    (methodId === null ? undefined : await rows.findOne({ id: methodId }));
  if (row) await applySetup(within(ctx, row.organizationId), row.id, setup);
  // One whose row is gone was given up; one on the page of a customer says no more than its method will.
  return !!row || !setup || methodId !== null || (await ownerOfCustomer(ctx, name, setup.customerId)) !== null;
};

export const projectMethod: Apply = async (ctx, { name }, { id: externalId }, read) => {
  const method = read && 'fingerprint' in read ? read : null;
  const row = await PaymentMethodModel.acrossOrganizations(ctx.db).findOne({ provider: name, externalId });
  if (row) {
    await follow(within(ctx, row.organizationId), row.id, method);
    return true;
  }
  if (!method) return true; // nothing is left of it, and nothing of ours was made of it
  const owner = await ownerOfCustomer(ctx, name, method.customerId);
  return owner !== null && (await adopt(within(ctx, owner), name, method));
};

export const projectCustomer: Apply = async (ctx, { name }, { id }, read) => {
  const owner = await ownerOfCustomer(ctx, name, id);
  if (owner !== null && !read) await dropCustomer(within(ctx, owner), name, id);
  return owner !== null || !read;
};

/** Null for what is no id of ours: anyone at the provider can write a reference. */
function idIn({ ids }: Context, reference: string | null | undefined): number | null {
  if (!reference) return null;
  try {
    return ids.decode('pmt', reference);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

async function follow(ctx: TenantContext, id: number, method: PaymentMethod | null): Promise<void> {
  await lockOrganization(ctx);
  const before = await PaymentMethodModel.of(ctx).findOne({ id }).forUpdate();
  if (!before || before.status === 'REMOVED') return;
  if (!method) return dropGone(ctx, before);
  const fields = fieldsOf(method);
  const isSame = Object.entries(fields).every(([name, value]) => isDeepStrictEqual(Reflect.get(before, name), value));
  if (isSame) return;
  const after = await patch(ctx, before, fields);
  if (after.status !== 'ACTIVE') return;
  await record(ctx, PaymentMethodUpdated, { target: after, before, after, data: after.present(ctx.ids, ctx.now) });
}

/** A method that came to our customer in another way than by a setup of ours. */
async function adopt(ctx: TenantContext, provider: ProviderName, method: PaymentMethod): Promise<boolean> {
  await lockOrganization(ctx);
  const { externalId, ...fields } = fieldsOf(method);
  if (await PaymentMethodModel.of(ctx).findOne({ provider, externalId })) return true; // by a setup, at this moment
  if ((await PaymentMethodModel.of(ctx).resultSize()) >= MAX_METHODS) return false;
  const pending = await PaymentMethodModel.of(ctx).where({ provider, status: 'PENDING' });
  const row = await PaymentMethodModel.add(ctx, {
    provider,
    status: 'SEEN',
    externalId,
    ...fields,
    createdAt: ctx.now,
  });
  if (pending.length === 0) await activate(ctx, row, { externalId, ...fields });
  for (const { organizationId, id } of pending) await enqueue(ctx, settleMethod, { organizationId, methodId: id });
  return true;
}
