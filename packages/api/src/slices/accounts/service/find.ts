import type { OrganizationContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { presentWithEtag } from '../../../contract/etag.ts';
import { inOrder, type Order } from '../../../contract/pagination.ts';
import { platformPermissions } from '../../../contract/permissions.ts';
import { rowsOf } from '../../../data/rows.ts';
import { requestedOrganization } from '../../../pipeline/tenancy.ts';
import { MemberModel } from '../../members/model.ts';
import { findMember, presentMember, presentMembers } from '../../members/service/find.ts';
import { UserModel } from '../../users/model.ts';
import type { ListUsers, UserOrMember, UserPage } from '../schemas.ts';

/** The members of the current organization; every user for platform staff whose request names no organization. */
export async function listUsers(ctx: OrganizationContext, input: ListUsers): Promise<UserPage> {
  if (seesEveryUser(ctx)) return listEveryone(ctx, input);
  if (input.status !== undefined || input.platformRole !== undefined)
    throw new ApiError('permission_denied', {
      detail: 'Leave out `status` and `platformRole`: only platform staff see them, without naming an organization.',
    });
  return listMembers(ctx, input);
}

function seesEveryUser(ctx: OrganizationContext): boolean {
  if (ctx.actor.kind !== 'user' || !platformPermissions(ctx.actor.user, ctx.ports.env).has('users:read')) return false;
  const { headerId, subdomain } = requestedOrganization(ctx, null);
  return headerId === null && subdomain === null;
}

async function listEveryone(ctx: OrganizationContext, input: ListUsers): Promise<UserPage> {
  if (input.role !== undefined)
    throw new ApiError('invalid_input', {
      errors: [{ path: 'role', message: 'is a role in an organization: name one in `X-Organization-Id`' }],
    });
  const rows = UserModel.query(ctx.db);
  if (input.status) rows.where('status', input.status);
  if (input.platformRole) rows.where('role', input.platformRole);
  if (input.search) rows.whereRaw(...begins('users', input.search));
  const { byEmail, direction } = orderOf(input);
  const order: Order<UserModel> = byEmail
    ? { column: 'emailKey', direction, positionOf: ({ emailKey }) => emailKey }
    : { column: 'id', direction, positionOf: ({ id }) => id };
  const list = { name: 'users', of: 0 };
  const page = await inOrder(ctx.ports.cursors, list, input, order, { rows: rowsOf(rows), isText: byEmail });
  return { items: page.rows.map((user) => user.present(ctx.ids)), nextCursor: page.nextCursor };
}

type MemberRow = MemberModel & { emailKey: string };

async function listMembers(ctx: OrganizationContext, input: ListUsers): Promise<UserPage> {
  const rows = MemberModel.of(ctx)
    .join('users as u', 'u.id', 'organizationMembers.userId')
    .select('organizationMembers.*', 'u.emailKey')
    .castTo<MemberRow[]>();
  if (input.role) rows.where('organizationMembers.role', input.role);
  if (input.search) rows.whereRaw(...begins('u', input.search));
  const { byEmail, direction } = orderOf(input);
  const order: Order<MemberRow> = byEmail
    ? { column: 'u.emailKey', direction, positionOf: ({ emailKey }) => emailKey }
    : { column: 'organizationMembers.id', direction, positionOf: ({ id }) => id };
  const list = { name: 'users', of: ctx.organization.id };
  const page = await inOrder(ctx.ports.cursors, list, input, order, { rows: rowsOf(rows), isText: byEmail });
  return { items: await presentMembers(ctx, page.rows), nextCursor: page.nextCursor };
}

function orderOf({ sort = '-createdAt' }: ListUsers): { byEmail: boolean; direction: 'asc' | 'desc' } {
  return { byEmail: sort.endsWith('email'), direction: sort.startsWith('-') ? 'desc' : 'asc' };
}

/** By the beginning only, so that an index is used. */
function begins(table: 'users' | 'u', search: string): [sql: string, bindings: string[]] {
  const pattern = `${search
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\\%_]/g, '\\$&')}%`;
  const columns = [`${table}.email_key`, `${table}.username_key`, `lower(${table}.full_name)`];
  return [`(${columns.map((column) => `${column} like ?`).join(' or ')})`, columns.map(() => pattern)];
}

/** Oneself, and for platform staff anyone, as an account; others as members of the current organization. */
export async function getUser(ctx: OrganizationContext, userId: string): Promise<UserOrMember> {
  const id = ctx.ids.decode('usr', userId);
  const isSelf = ctx.actor.kind === 'user' && ctx.actor.user.id === id;
  if (isSelf || seesEveryUser(ctx)) {
    const user = await UserModel.query(ctx.db).findById(id);
    if (!user) throw new ApiError('not_found');
    return presentWithEtag(ctx, user);
  }
  const member = await findMember(ctx, userId);
  const shown = await presentMember(ctx, member);
  return presentWithEtag(ctx, { version: member.version, present: () => shown });
}
