import type { OrganizationContext } from '../../../context.ts';
import type { CacheNamespace } from '../../../contract/cache-namespaces.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { readRows, rowsOf, updateRow } from '../../../data/rows.ts';
import type { Tenancy } from '../../../data/tenant-model.ts';
import { afterCommit, transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { lockAuthority } from '../../members/service/authority.ts';
import { MeterArchived, MeterCreated } from '../events.ts';
import { MeterModel } from '../model.ts';
import type { Aggregation, CreateMeter, ListMeters, Meter, MeterPage } from '../schemas.ts';

/** Archived ones are counted, because they keep their slug and their values. */
export const MAX_METERS = 200;
const COUNT_METERS = { text: 'select count(*)::integer from meters where organization_id = $1' };

export async function listMeters(ctx: OrganizationContext, input: ListMeters): Promise<MeterPage> {
  const list = { name: 'meters', of: ctx.organization.id };
  const { rows, nextCursor } = await newestFirst(ctx.ports.cursors, list, input, rowsOf(MeterModel.of(ctx)));
  return { items: rows.map((meter) => meter.present(ctx.ids)), nextCursor };
}

export async function createMeter(ctx: OrganizationContext, input: CreateMeter): Promise<Meter> {
  return transaction(ctx, async (ctx) => {
    const { count } = await lockAuthority(ctx, 'billing:manage', { counting: COUNT_METERS });
    assertRoom(count, MAX_METERS, `An organization has at most ${MAX_METERS} meters, archived ones included.`);
    const meter = await MeterModel.add(ctx, { ...input, property: input.property ?? null, createdAt: ctx.now });
    afterCommit(ctx.db, () => void forgetMeters(ctx));
    await record(ctx, MeterCreated, { target: meter, after: meter, data: meter.present(ctx.ids) });
    return meter.present(ctx.ids);
  });
}

/** A meter is not deleted: what was metered may have been billed. */
export async function archiveMeter(ctx: OrganizationContext, meterId: string): Promise<void> {
  const id = ctx.ids.decode('mtr', meterId);
  await transaction(ctx, async (ctx) => {
    await lockAuthority(ctx, 'billing:manage');
    const before = await findMeter(ctx, id);
    if (before.archivedAt) return;
    const after = await updateRow(ctx.db, before, before.primaryKey, { archivedAt: ctx.now });
    afterCommit(ctx.db, () => void forgetMeters(ctx));
    await record(ctx, MeterArchived, { target: after, before, after, data: after.present(ctx.ids) });
  });
}

export async function findMeter(ctx: Tenancy, id: number): Promise<MeterModel> {
  const meter = await MeterModel.of(ctx).findOne({ id });
  if (!meter) throw new ApiError('not_found');
  return meter;
}

export const findMeters = (ctx: Tenancy, slugs: readonly string[]): Promise<MeterModel[]> =>
  readRows(MeterModel.of(ctx).whereIn('slug', [...slugs]));

/** What the cache knows of a meter. Nothing of it changes but whether it is archived, which each write checks. */
export interface KnownMeter {
  id: number;
  slug: string;
  aggregation: Aggregation;
  property: string | null;
  isArchived: boolean;
}

export type KnownMeters = ReadonlyMap<string, KnownMeter>;

/** The organization's meters by slug, as they were within the last minutes. */
export async function knownMeters(ctx: OrganizationContext): Promise<KnownMeters> {
  const meters = await cacheOf(ctx).getOrSet({ key: keyOf(ctx), factory: () => readMeters(ctx) });
  return bySlug(meters);
}

/** As they are now. */
export async function currentMeters(ctx: OrganizationContext): Promise<KnownMeters> {
  const meters = await readMeters(ctx);
  await cacheOf(ctx).set({ key: keyOf(ctx), value: meters });
  return bySlug(meters);
}

async function readMeters(ctx: OrganizationContext): Promise<KnownMeter[]> {
  const meters = await readRows(MeterModel.of(ctx).limit(MAX_METERS));
  return meters.map(({ id, slug, aggregation, property, archivedAt }) => ({
    id,
    slug,
    aggregation,
    property,
    isArchived: archivedAt !== null,
  }));
}

const forgetMeters = (ctx: OrganizationContext) => cacheOf(ctx).delete({ key: keyOf(ctx) });
const cacheOf = ({ ports }: OrganizationContext) => ports.cache.namespace('meters' satisfies CacheNamespace);
const keyOf = ({ ids, organization }: OrganizationContext): string => ids.encode('org', organization.id);
const bySlug = (meters: readonly KnownMeter[]): KnownMeters => new Map(meters.map((meter) => [meter.slug, meter]));
