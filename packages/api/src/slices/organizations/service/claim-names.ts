import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { isReserved, NAME } from '../../../contract/names.ts';
import { lockName } from '../../../data/name-locks.ts';
import { OrganizationModel, RESTORE_WINDOW_MS } from '../model.ts';
import type { SubdomainAvailability } from '../schemas.ts';

type Field = 'slug' | 'subdomain';

/** Names are claimed one transaction at a time, so a name found free stays free until the commit. */
export async function lockNames(ctx: Context): Promise<void> {
  await lockName(ctx.db, 'organization names');
}

/** Refuses a name that is reserved, taken, or looks like a taken one. */
export async function claimName(ctx: Context, field: Field, name: string, ownId?: number): Promise<void> {
  if (isReserved(name)) {
    throw new ApiError('name_reserved', { errors: [{ path: field, message: 'is reserved: choose another' }] });
  }
  const holder = await holderOf(ctx, field, name);
  if (!holder || holder.id === ownId) return;
  if (!isGone(ctx, holder)) throw new ApiError(field === 'slug' ? 'slug_taken' : 'subdomain_taken');
  await OrganizationModel.query(ctx.db)
    .findById(holder.id)
    .patch({ [field]: null });
}

export async function isFree(ctx: Context, field: Field, name: string): Promise<boolean> {
  const holder = await holderOf(ctx, field, name);
  return !holder || isGone(ctx, holder);
}

async function holderOf(ctx: Context, field: Field, name: string): Promise<OrganizationModel | undefined> {
  return OrganizationModel.query(ctx.db).whereRaw('look_alike(??) = look_alike(?)', [field, name]).first();
}

/** An organization that can no longer be restored gives up its name. */
function isGone(ctx: Context, { deletedAt }: OrganizationModel): boolean {
  return deletedAt !== null && deletedAt.getTime() + RESTORE_WINDOW_MS <= ctx.now.getTime();
}

export async function subdomainAvailability(ctx: Context, subdomain: string): Promise<SubdomainAvailability> {
  const reason = !NAME.test(subdomain)
    ? 'invalid'
    : isReserved(subdomain)
      ? 'reserved'
      : (await isFree(ctx, 'subdomain', subdomain))
        ? null
        : 'taken';
  return { subdomain, available: reason === null, reason };
}
