import type { Context, OrganizationContext, UserContext } from '../../../context.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import type { RowQuery } from '../../../data/base-model.ts';
import { existing, findRow, readRows, rowsOf } from '../../../data/rows.ts';
import { oncePerTransaction } from '../../../data/transaction.ts';
import { membershipsOf } from '../../members/service/find.ts';
import { OrganizationModel, RESTORE_WINDOW_MS } from '../model.ts';
import type { ListOrganizations, Organization, OrganizationPage, SearchOrganizations } from '../schemas.ts';

export async function getOrganization(ctx: OrganizationContext): Promise<Organization> {
  return presentWithEtag(ctx, await findOrganization(ctx, ctx.organization.id));
}

export function findOrganization({ db }: Pick<Context, 'db'>, id: number): Promise<OrganizationModel> {
  return existing(findRow(db, OrganizationModel, { id }));
}

/** The same once in a transaction, from the moment when it is locked: `keep` what is changed of it. */
export const organizationOnce = oncePerTransaction(findOrganization);

export async function organizationName(ctx: Context, organizationId: number): Promise<string> {
  return (await organizationOnce(ctx, organizationId)).name;
}

/** Locked against deletion until the commit. */
export async function isLive(ctx: Context, organizationId: number): Promise<boolean> {
  const found = await OrganizationModel.query(ctx.db).findById(organizationId).whereNull('deletedAt').forShare();
  return found !== undefined;
}

export async function listOrganizations(ctx: UserContext, input: ListOrganizations): Promise<OrganizationPage> {
  const own = membershipsOf(ctx, ctx.actor.user.id);
  const query = OrganizationModel.query(ctx.db);
  if (input.deleted) {
    const restorableSince = new Date(ctx.now.getTime() - RESTORE_WINDOW_MS);
    query.whereIn('id', own.where({ role: 'OWNER' }).select('organizationId')).where('deletedAt', '>', restorableSince);
  } else query.whereIn('id', own.select('organizationId')).whereNull('deletedAt');
  return pageOf(ctx, 'organizations', input, query);
}

/** Only organizations of which the caller is a member. */
export async function searchOrganizations(ctx: UserContext, input: SearchOrganizations): Promise<OrganizationPage> {
  const pattern = `%${input.query.replace(/[\\%_]/g, '\\$&')}%`;
  const query = OrganizationModel.query(ctx.db)
    .whereIn('id', membershipsOf(ctx, ctx.actor.user.id).select('organizationId'))
    .whereNull('deletedAt')
    .where((either) => either.whereILike('name', pattern).orWhereILike('slug', pattern));
  return pageOf(ctx, 'organizations/search', input, query);
}

async function pageOf(
  ctx: UserContext,
  name: string,
  input: ListOrganizations,
  query: RowQuery<OrganizationModel>,
): Promise<OrganizationPage> {
  const list = { name, of: ctx.actor.user.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(query));
  const ids = rows.map(({ id }) => id);
  const members = await readRows(membershipsOf(ctx, ctx.actor.user.id).whereIn('organizationId', ids));
  const roles = new Map(members.map(({ organizationId, role }) => [organizationId, role]));
  // A caller who left between the two queries has no role there any more.
  const items = rows.flatMap((row) => {
    const role = roles.get(row.id);
    return role ? [{ ...row.present(ctx.ids), role }] : [];
  });
  return { items, nextCursor };
}
