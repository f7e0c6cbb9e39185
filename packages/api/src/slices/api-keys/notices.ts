import { execute, type Statement } from '@rentapi/platform/database';
import { type Context, within } from '../../context.ts';
import type { Tenancy } from '../../data/tenant-model.ts';
import { transaction } from '../../data/transaction.ts';
import { record } from '../../events/record.ts';
import type { RunControl } from '../../jobs/job.ts';
import { recipientsOf } from '../members/service/recipients.ts';
import { OrganizationModel } from '../organizations/model.ts';
import { ApiKeyExpired, ApiKeyExpiring, ExpiryMailed, InactiveKeysMailed } from './events.ts';
import { ApiKeyModel } from './model.ts';
import type { MailedKey, MailedKeys } from './schemas.ts';

const DAY_MS = 86_400_000;
/** Days before the expiry, the nearest first. */
const NOTICES = [0, 3, 14];
/** So late is an expiry still reported, if no worker ran. */
const LATEST_MS = 7 * DAY_MS;
/** A program that makes keys for an hour causes no mails. */
const SHORTEST_LIFE_MS = DAY_MS;
const INACTIVE_DAYS = 30;
const LONG_INACTIVE_DAYS = 90;

const ORGANIZATIONS_AT_ONCE = 100;
/** As many as an organization can have. */
const MAX_KEYS = 1000;
const MAX_MAILED_KEYS = 20;

const daysFrom = ({ now }: Context, days: number): Date => new Date(now.getTime() + days * DAY_MS);

const WITH_EXPIRING_KEYS: Statement = {
  text: `
    /* across organizations */
    select distinct k.organization_id as id
    from api_keys k
    where k.organization_id > $1 and k.expires_at > $2 and k.expires_at <= $3
      and k.expires_at is not null and k.revoked_at is null and k.enabled
    order by k.organization_id
    limit ${ORGANIZATIONS_AT_ONCE}`,
};

/** Announces what expires within 14 days, within 3, and what has expired. Running it again announces nothing twice. */
export async function notifyExpiring(ctx: Context, control: RunControl): Promise<void> {
  const between = [new Date(ctx.now.getTime() - LATEST_MS), daysFrom(ctx, Math.max(...NOTICES))];
  await forEach(ctx, control, WITH_EXPIRING_KEYS, between, async (ctx, organization) => {
    const due = await ApiKeyModel.of(ctx)
      .where('expiresAt', '>', between[0]!)
      .where('expiresAt', '<=', between[1]!)
      .whereNull('revokedAt')
      .where({ enabled: true })
      .orderBy('id')
      .limit(MAX_KEYS)
      .forUpdate(); // what is revoked or prolonged at this moment is announced as it is then
    const claimed = await claimNotices(ctx, due);
    for (const key of claimed) {
      const data = key.present(ctx.ids);
      const recorded = { target: key, organizationId: organization.id };
      const days = daysLeft(ctx, key);
      if (days <= 0) await record(ctx, ApiKeyExpired, { ...recorded, data });
      else await record(ctx, ApiKeyExpiring, { ...recorded, data: { ...data, daysLeft: days } });
    }
    await mailExpiry(ctx, organization, claimed);
  });
}

const daysLeft = ({ now }: Context, { expiresAt }: ApiKeyModel): number =>
  Math.ceil((expiresAt!.getTime() - now.getTime()) / DAY_MS);

const CLAIM_NOTICES: Statement = {
  text: `
    insert into api_key_notices (organization_id, api_key_id, expires_at, days_before)
    select $1, due.id, due.expires_at, due.days_before
    from unnest($2::bigint[], $3::timestamptz[], $4::smallint[]) as due (id, expires_at, days_before)
    on conflict do nothing returning api_key_id as id`,
};

/** The keys whose notice did not go out before. Another expiry begins anew. */
async function claimNotices(ctx: Context & Tenancy, due: readonly ApiKeyModel[]): Promise<ApiKeyModel[]> {
  const lasting = due.filter(
    ({ expiresAt, createdAt }) => expiresAt!.getTime() - createdAt.getTime() >= SHORTEST_LIFE_MS,
  );
  const claimed = await execute<{ id: number }>(ctx.db, CLAIM_NOTICES, [
    ctx.organization.id,
    lasting.map(({ id }) => id),
    lasting.map(({ expiresAt }) => expiresAt),
    lasting.map((key) => NOTICES.find((days) => daysLeft(ctx, key) <= days)),
  ]);
  const ids = new Set(claimed.map(({ id }) => id));
  return lasting.filter(({ id }) => ids.has(id));
}

/** One mail for each person: who manages the organization sees all its keys, others the keys that they created. */
async function mailExpiry(
  ctx: Context & Tenancy,
  organization: OrganizationModel,
  keys: readonly ApiKeyModel[],
): Promise<void> {
  if (keys.length === 0) return;
  const creators = keys.flatMap(({ createdBy }) => (createdBy === null ? [] : [createdBy]));
  for (const { id, email, manages } of await recipientsOf(ctx, ['OWNER', 'ADMIN'], creators)) {
    const own = manages ? keys : keys.filter(({ createdBy }) => createdBy === id);
    await record(ctx, ExpiryMailed, {
      target: organization,
      organizationId: organization.id,
      data: {
        userId: ctx.ids.encode('usr', id),
        email,
        organization: organization.name,
        ...mailed(own.map((key) => ({ name: key.name, last4: key.last4, at: key.expiresAt!.toISOString() }))),
      },
    });
  }
}

function mailed(keys: readonly MailedKey[]): MailedKeys {
  return { keys: keys.slice(0, MAX_MAILED_KEYS), more: Math.max(0, keys.length - MAX_MAILED_KEYS) };
}

const WITH_KEYS: Statement = {
  text: `
    /* across organizations */
    select distinct organization_id as id from api_keys
    where organization_id > $1 and created_at < $2 and revoked_at is null and enabled
    order by organization_id
    limit ${ORGANIZATIONS_AT_ONCE}`,
};

const INACTIVE: Statement = {
  text: `
    select k.name, k.last4, used.last_used_at as "lastUsedAt", k.created_at as "createdAt"
    from api_keys k
    left join api_key_uses used on used.organization_id = $1 and used.api_key_id = k.id
    where k.organization_id = $1 and k.created_at < $2 and k.revoked_at is null and k.enabled
      and (k.expires_at is null or k.expires_at > $3) and (used.last_used_at is null or used.last_used_at < $2)
    order by coalesce(used.last_used_at, k.created_at), k.id
    limit ${MAX_KEYS}`,
};

const CLAIM_REPORT: Statement = {
  text: `
    insert into api_key_reports (organization_id, month_start) values ($1, $2) on conflict do nothing returning 1`,
};

/** Mails the owners which keys nothing uses any more, once a month for each organization that has some. */
export async function reportInactive(ctx: Context, control: RunControl): Promise<void> {
  const { now } = ctx;
  const before = daysFrom(ctx, -INACTIVE_DAYS);
  const longBefore = daysFrom(ctx, -LONG_INACTIVE_DAYS);
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth()));
  await forEach(ctx, control, WITH_KEYS, [before], async (ctx, organization) => {
    const inactive = await execute<Pick<ApiKeyModel, 'name' | 'last4' | 'createdAt'> & { lastUsedAt: Date | null }>(
      ctx.db,
      INACTIVE,
      [organization.id, before, now],
    );
    if (inactive.length === 0) return;
    if ((await execute(ctx.db, CLAIM_REPORT, [organization.id, month])).length === 0) return;
    const since = inactive.map(({ name, last4, lastUsedAt, createdAt }) => ({
      quietSince: lastUsedAt ?? createdAt,
      key: { name, last4, at: lastUsedAt?.toISOString() ?? null },
    }));
    const [long, short] = [true, false].map((isLong) =>
      since.flatMap(({ quietSince, key }) => (quietSince < longBefore === isLong ? [key] : [])),
    );
    for (const { id, email } of await recipientsOf(ctx, ['OWNER'])) {
      await record(ctx, InactiveKeysMailed, {
        target: organization,
        organizationId: organization.id,
        data: {
          userId: ctx.ids.encode('usr', id),
          email,
          organization: organization.name,
          longInactive: mailed(long!),
          inactive: mailed(short!),
        },
      });
    }
  });
}

/** Works on one organization after the other, each in a transaction. The next run continues where one was killed. */
async function forEach(
  ctx: Context,
  { touch, signal }: RunControl,
  page: Statement,
  values: readonly unknown[],
  work: (ctx: Context & Tenancy, organization: OrganizationModel) => Promise<void>,
): Promise<void> {
  let after = 0;
  while (!signal.aborted) {
    const found = await execute<{ id: number }>(ctx.db, page, [after, ...values]);
    for (const { id } of found) {
      if (signal.aborted) return;
      await transaction(ctx, async (ctx) => {
        // As changes to keys do, the organization is locked first: else two could wait for each other.
        const organization = await OrganizationModel.query(ctx.db).findById(id).whereNull('deletedAt').forKeyShare();
        if (organization) await work(within(ctx, id), organization);
      });
      touch();
    }
    if (found.length < ORGANIZATIONS_AT_ONCE) return;
    after = found.at(-1)!.id;
  }
}
