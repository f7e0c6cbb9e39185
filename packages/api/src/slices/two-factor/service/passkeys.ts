import type { UserContext } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { newestFirst } from '../../../contract/pagination.ts';
import { rowsOf } from '../../../data/rows.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { assertWayIn } from '../../auth/service/ways-in.ts';
import { recordSecurityEvent } from '../../security-events/service.ts';
import { lockMe } from '../../users/staff.ts';
import { PasskeyRemoved, PasskeyRenamed } from '../events.ts';
import { PasskeyModel } from '../model.ts';
import type { ListPasskeys, Passkey, PasskeyPage, RenamePasskey } from '../schemas.ts';
import { settleTwoFactor } from './settle.ts';

export async function listPasskeys(ctx: UserContext, input: ListPasskeys): Promise<PasskeyPage> {
  const userId = ctx.actor.user.id;
  const mine = PasskeyModel.query(ctx.db).where({ userId });
  const { rows, nextCursor } = await newestFirst(
    ctx.ports.cursors,
    { name: 'passkeys', of: userId },
    input,
    rowsOf(mine),
  );
  return { items: rows.map((passkey) => passkey.present(ctx.ids)), nextCursor };
}

export async function renamePasskey(ctx: UserContext, { passkeyId, name }: RenamePasskey): Promise<Passkey> {
  return transaction(ctx, async (ctx) => {
    const { user, passkey } = await lockPasskey(ctx, passkeyId);
    await PasskeyModel.query(ctx.db).findById(passkey.id).patch({ name });
    const data = { ...user.present(ctx.ids), passkey: { id: passkeyId, name } };
    await record(ctx, PasskeyRenamed, { target: user, data });
    return { ...passkey.present(ctx.ids), name };
  });
}

export async function removePasskey(ctx: UserContext, passkeyId: string): Promise<void> {
  await transaction(ctx, async (ctx) => {
    const { user: before, passkey } = await lockPasskey(ctx, passkeyId);
    await PasskeyModel.query(ctx.db).deleteById(passkey.id);
    await assertWayIn(ctx, before);
    const after = await settleTwoFactor(ctx, before);
    const { name } = passkey;
    await recordSecurityEvent(ctx, 'passkey_removed', { userId: after.id, details: { passkey: name } });
    const data = { ...after.present(ctx.ids), passkey: { id: passkeyId, name } };
    await record(ctx, PasskeyRemoved, { target: after, before, after, data });
  });
}

/** Under the lock of the user, so that of two removals the second sees the first. */
async function lockPasskey(ctx: UserContext, passkeyId: string) {
  const userId = ctx.actor.user.id;
  const user = await lockMe(ctx);
  const passkey = await PasskeyModel.query(ctx.db).findOne({ id: ctx.ids.decode('psk', passkeyId), userId });
  if (!passkey) throw new ApiError('not_found');
  return { user, passkey };
}
