import { mac } from '@rentapi/platform/secrets';
import { tokenHash } from '@rentapi/platform/tokens';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import type { RecordedEvent } from '../../../jobs/job.ts';
import { lockOrganization } from '../../members/service/authority.ts';
import { InvitationModel } from '../model.ts';
import type { Invitation } from '../schemas.ts';

/**
 * The token in an invitation's mail; null where there is nothing left to mail. It is derived from the event under a
 * secret key, so a job that runs twice mails the same link twice, and both mails work. Only its hash is stored.
 */
export async function mintInvitationToken(ctx: Context, event: RecordedEvent<Invitation>): Promise<string | null> {
  const token = mac(ctx.ports.keyring.key('rentapi/invitation'), `${event.type} ${event.id}`).toString('base64url');
  const minted = await InvitationModel.of({ db: ctx.db, organization: { id: event.organizationId! } })
    .where({ id: ctx.ids.decode('ivt', event.data.id), status: 'PENDING' })
    .where('updatedAt', new Date(event.data.updatedAt)) // a later resending has its own mail
    .patch({ tokenHash: tokenHash(token) });
  return minted > 0 ? token : null;
}

/**
 * The pending invitation of a mailed token, with its organization locked: of two concurrent requests, one finds it
 * settled.
 */
export async function redeemInvitationToken(ctx: Context, token: string): Promise<InvitationModel> {
  const hash = tokenHash(token);
  const named = await InvitationModel.acrossOrganizations(ctx.db).findOne({ tokenHash: hash });
  if (!named) throw new ApiError('invalid_token');
  const there = { db: ctx.db, organization: { id: named.organizationId } };
  await lockOrganization(there).catch((error) => {
    // The organization was deleted: the invited person learns nothing of it
    throw error instanceof ApiError ? new ApiError('invalid_token') : error;
  });
  const invitation = await InvitationModel.of(there).findOne({ tokenHash: hash, status: 'PENDING' });
  if (!invitation || invitation.expiresAt <= ctx.now) throw new ApiError('invalid_token');
  return invitation;
}
