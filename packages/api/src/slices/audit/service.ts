import type { OrganizationContext } from '../../context.ts';
import { prefixOf } from '../../contract/ids.ts';
import { newestFirst } from '../../contract/pagination.ts';
import { AuditLogModel, targetOf } from './model.ts';
import type { AuditEntry, AuditFilters, AuditPage, ListAuditLogs } from './schemas.ts';

const EXPORT_BATCH = 500;

/** By position, newest first: an entry appears once the sequencer gave it a position, a moment after its change. */
export async function listAuditLogs(ctx: OrganizationContext, input: ListAuditLogs): Promise<AuditPage> {
  const list = { name: 'audit_logs', of: ctx.organization.id, by: 'position' as const };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, entries(ctx, input));
  return { items: rows.map((entry) => entry.present(ctx.ids)), nextCursor };
}

/** All that match, oldest first, a batch at a time: an export of any length takes the memory of one batch. */
export async function* exportAuditLogs(ctx: OrganizationContext, filters: AuditFilters): AsyncGenerator<AuditEntry[]> {
  for (let after = 0; ; ) {
    const rows = await entries(ctx, filters).where('position', '>', after).orderBy('position').limit(EXPORT_BATCH);
    if (rows.length > 0) yield rows.map((entry) => entry.present(ctx.ids));
    if (rows.length < EXPORT_BATCH) return;
    after = rows.at(-1)!.position!;
  }
}

function entries(ctx: OrganizationContext, filters: Omit<AuditFilters, 'orgId'>) {
  const { db, ids, organization } = ctx;
  const query = AuditLogModel.query(db).where({ organizationId: organization.id }).whereNotNull('position');
  const { actorId, action, targetId, from, to } = filters;
  if (actorId && prefixOf(actorId) === 'key') query.where({ actorKind: 'key', actorId: ids.decode('key', actorId) });
  else if (actorId) query.where({ actorKind: 'user', actorId: ids.decode('usr', actorId) });
  if (action) query.where({ action });
  const target = targetId && targetOf(ids, targetId);
  if (target) query.where(target);
  if (from) {
    const nearest = positionsNear(ctx, '>=', new Date(from));
    query.where('createdAt', '>=', new Date(from));
    query.where('position', '>=', AuditLogModel.query(db).min('position').from(nearest));
  }
  if (to) {
    const nearest = positionsNear(ctx, '<', new Date(to));
    query.where('createdAt', '<', new Date(to));
    query.where('position', '<=', AuditLogModel.query(db).max('position').from(nearest));
  }
  return query;
}

const OVERLAPPING_ROWS = 1000;

/**
 * Of the rows on one side of a moment the 1,000 nearest, because pages follow positions and those follow the commits: near a
 * moment the two orders differ. An entry lies beyond the bound made of them only if it overtook all 1,000.
 */
function positionsNear({ db, organization }: OrganizationContext, side: '>=' | '<', moment: Date) {
  return AuditLogModel.query(db)
    .where({ organizationId: organization.id })
    .where('createdAt', side, moment)
    .whereNotNull('position')
    .orderBy('createdAt', side === '<' ? 'desc' : 'asc')
    .limit(OVERLAPPING_ROWS)
    .select('position')
    .as('nearest');
}
