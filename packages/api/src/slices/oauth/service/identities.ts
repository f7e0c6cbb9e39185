import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertWayIn } from '../../auth/service/ways-in.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { lockMe } from '../../users/staff.ts';
import { IdentityUnlinked } from '../events.ts';
import { UserIdentityModel } from '../model.ts';
import type { ProviderId } from '../providers.ts';
import type { Identities } from '../schemas.ts';

export async function listIdentities(ctx: UserContext): Promise<Identities> {
  const rows = await UserIdentityModel.query(ctx.db).where({ userId: ctx.actor.user.id }).orderBy('id');
  return { items: rows.map((identity) => identity.present()) };
}

/** The lock of the user counts two at once: together they could take away the last two ways in. */
export async function unlinkIdentity(ctx: UserContext, provider: ProviderId): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const userId = ctx.actor.user.id;
    const user = await lockMe(ctx);
    const identity = await UserIdentityModel.query(ctx.db).findOne({ userId, provider });
    if (!identity) throw new ApiError('not_found');
    await UserIdentityModel.query(ctx.db).deleteById(identity.id);
    await assertWayIn(ctx, user);
    await recordSecurityEvent(ctx, 'identity_unlinked', { userId, details: { provider } });
    const data = {
      userId: ctx.ids.encode('usr', userId),
      email: user.email,
      provider,
      providerName: nameOf(ctx, provider),
    };
    await record(ctx, IdentityUnlinked, { target: user, data });
  });
}

/** A provider that is no longer set up can still be unlinked. */
function nameOf({ ports }: UserContext, provider: ProviderId): string {
  return ports.oauth.list().find(({ id }) => id === provider)?.name ?? provider;
}
