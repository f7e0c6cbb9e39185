import { type OrganizationContext, type UserContext, within } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { assertRoom } from '../../../data/assert-room.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { forgetAfterCommit } from '../../../pipeline/actor-cache.ts';
import { ApiKeyModel } from '../../api-keys/model.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { assertStaff } from '../../users/staff.ts';
import { LimitsChanged } from '../events.ts';
import { LimitOverrideModel } from '../model.ts';
import type { LimitOverrides, SetLimits } from '../schemas.ts';

export const MAX_OVERRIDES = 100;

type StaffContext = UserContext & OrganizationContext;

export async function getLimits(ctx: UserContext, orgId: string): Promise<LimitOverrides> {
  const there = within(ctx, ctx.ids.decode('org', orgId));
  const organization = await OrganizationModel.query(ctx.db).findById(there.organization.id);
  if (!organization) throw new ApiError('not_found');
  return presentLimits(there, organization);
}

/** Replaces the present override of the organization or the key; without any number, ends it. */
export async function setLimits(ctx: UserContext, input: SetLimits): Promise<LimitOverrides> {
  const until = new Date(input.until);
  if (until <= ctx.now) throw new ApiError('override_in_past');
  return transaction(ctx, async (ctx) => {
    const there = within(ctx, ctx.ids.decode('org', input.orgId));
    const organization = await OrganizationModel.query(ctx.db).findById(there.organization.id).forUpdate();
    await assertStaff(ctx, 'system:manage');
    if (!organization) throw new ApiError('not_found');
    const apiKeyId = input.keyId === undefined ? null : await findKeyId(there, input.keyId);
    const before = await LimitOverrideModel.of(there).whereNull('endedAt').where({ apiKeyId }).first();
    if (before) await LimitOverrideModel.of(there).where({ id: before.id }).patch({ endedAt: ctx.now });
    const after = await addOverride(there, input, { apiKeyId, until });
    await store(there, apiKeyId, after);
    const target = after ?? before;
    if (target) {
      const override = after?.present(ctx.ids) ?? null;
      const data = { organizationId: input.orgId, keyId: input.keyId ?? null, override };
      await record(there, LimitsChanged, { target, ...(before && { before }), ...(after && { after }), data });
    }
    return presentLimits(there, organization);
  });
}

async function findKeyId(ctx: OrganizationContext, keyId: string): Promise<number> {
  const key = await ApiKeyModel.of(ctx).findOne({ id: ctx.ids.decode('key', keyId) });
  if (!key) throw new ApiError('not_found');
  return key.id;
}

/** Null where the input has no number. */
async function addOverride(
  ctx: StaffContext,
  { perHour = null, perDay = null, sockets = null, subscriptions = null, reason }: SetLimits,
  fields: Pick<LimitOverrideModel, 'apiKeyId' | 'until'>,
): Promise<LimitOverrideModel | null> {
  const numbers = { perHour, perDay, sockets, subscriptions };
  if (Object.values(numbers).every((number) => number === null)) return null;
  const detail = `An organization has at most ${MAX_OVERRIDES} overrides: end one first.`;
  assertRoom(await presentOnes(ctx).resultSize(), MAX_OVERRIDES, detail);
  const createdBy = ctx.actor.user.id;
  return LimitOverrideModel.add(ctx, { ...numbers, ...fields, reason, createdBy, createdAt: ctx.now });
}

/** In the row that every call reads, whose trigger informs the other processes. Their versions are not of this. */
async function store(ctx: StaffContext, apiKeyId: number | null, override: LimitOverrideModel | null): Promise<void> {
  const { id } = ctx.organization;
  const limitOverride = override?.resolved() ?? null;
  if (apiKeyId === null) await OrganizationModel.query(ctx.db).findById(id).patch({ limitOverride });
  else await ApiKeyModel.of(ctx).where({ id: apiKeyId }).patch({ limitOverride });
  forgetAfterCommit(ctx, [apiKeyId === null ? `organization:${id}` : `key:${apiKeyId}`]);
}

const presentOnes = (ctx: OrganizationContext) =>
  LimitOverrideModel.of(ctx).whereNull('endedAt').where('until', '>', ctx.now);

async function presentLimits(ctx: OrganizationContext, { plan }: OrganizationModel): Promise<LimitOverrides> {
  const rows = await presentOnes(ctx).orderBy('id', 'desc');
  return { plan, items: rows.map((row) => row.present(ctx.ids)), nextCursor: null };
}
