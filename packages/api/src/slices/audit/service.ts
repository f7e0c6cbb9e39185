import type { OrganizationContext } from '../../context.ts';
import { prefixOf } from '../../contract/ids.ts';
import { newestFirst } from '../../contract/pagination.ts';
import { readRows, rowsOf } from '../../data/rows.ts';
import { AuditLogModel, targetOf } from './model.ts';
import type { AuditEntry, AuditFilters, AuditPage, ListAuditLogs } from './schemas.ts';

const EXPORT_BATCH = 500;
/** An entry can hold some 50 kB, and every export under way holds one batch. */
const EXPORT_BATCH_BYTES = 512 * 1024;

/** By position, newest first: an entry appears once the sequencer assigned its position, a moment after the change. */
export async function listAuditLogs(ctx: OrganizationContext, input: ListAuditLogs): Promise<AuditPage> {
  const list = { name: 'audit_logs', of: ctx.organization.id, by: 'position' as const };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(entries(ctx, input)));
  return { items: rows.map((entry) => entry.present(ctx.ids)), nextCursor };
}

/** All that match, oldest first, in batches: an export of any length needs the memory of one batch. */
export async function* exportAuditLogs(ctx: OrganizationContext, filters: AuditFilters): AsyncGenerator<AuditEntry[]> {
  const rest = (after: number) => entries(ctx, filters).where('position', '>', after).orderBy('position');
  for (let after = 0, limit = EXPORT_BATCH; ; ) {
    const sizes = await rest(after).limit(limit).select('position', AuditLogModel.sizeInBytes()).castTo<EntrySize[]>();
    const fitting = sizes.slice(0, countWithin(sizes, EXPORT_BATCH_BYTES));
    if (fitting.length === 0) return;
    const last = fitting.at(-1)!.position;
    const rows = await readRows(rest(after).where('position', '<=', last));
    yield rows.map((entry) => entry.present(ctx.ids));
    // Large entries come together: their sizes are not read over and over.
    limit = Math.min(EXPORT_BATCH, fitting.length * 2);
    after = last;
  }
}

interface EntrySize {
  position: number;
  bytes: number;
}

/** How many of the first entries fit together: one at least. */
function countWithin(sizes: readonly EntrySize[], maxBytes: number): number {
  let bytes = 0;
  const tooMany = sizes.findIndex((each) => (bytes += each.bytes) > maxBytes);
  return tooMany < 0 ? sizes.length : Math.max(1, tooMany);
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
 * Pages follow positions, which follow commits, so near a moment the order by time differs. The bound comes from the
 * 1,000 rows nearest to the moment on one side: an entry lies beyond it only if it overtook all 1,000.
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
