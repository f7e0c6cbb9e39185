import { emailKey } from '@rentapi/platform/mail-address';
import type { Context } from '../../../context.ts';
import { ApiError } from '../../../contract/errors.ts';
import { lockMailbox } from '../../../data/name-locks.ts';
import { keepOrUndo, transaction } from '../../../data/transaction.ts';
import type { EventType } from '../../../events/event.ts';
import { record } from '../../../events/record.ts';
import { addMember } from '../../members/service/add.ts';
import { createPersonalOrganization } from '../../organizations/service/create.ts';
import { UserModel, usernameKey } from '../../users/model.ts';
import type { User } from '../../users/schemas.ts';
import { isUsernameFree } from '../../users/service.ts';
import { decoyEmail, decoyUser } from '../decoy.ts';
import { RegistrationRepeated, UserRegistered } from '../events.ts';
import type { Register, RegistrationResult } from '../schemas.ts';
import { hashNewPassword } from './new-password.ts';

/**
 * Gives the same answer, at the same cost, whether or not the address has an account: only its mailbox learns which. A
 * username is refused if a verified account has it; a registration claims none, so registering twice reveals nothing.
 */
export async function register(ctx: Context, input: Register): Promise<RegistrationResult> {
  if (input.username && !(await isUsernameFree(ctx, input.username))) throw new ApiError('username_taken');
  const { email, username = null, fullName = null, password } = input;
  const passwordHash = await hashNewPassword(ctx, 'password', password, { email, names: [username, fullName] });
  await transaction(ctx, async (ctx) => {
    await lockMailbox(ctx.db, email);
    const owner = await UserModel.query(ctx.db)
      .findOne({ emailKey: emailKey(email) })
      .forUpdate();
    // The statements of both cases, and those of the other are undone: neither their number nor their time differs.
    const account = { email: owner ? decoyEmail() : email, username, fullName, passwordHash };
    const made = await keepOrUndo(ctx, !owner, (ctx) => createAccount(ctx, account));
    const registered = owner ?? made ?? decoyUser(ctx, email);
    await keepOrUndo(ctx, Boolean(owner), (ctx) => registerAgain(ctx, registered, { username, fullName }));
  });
  return { email, username, fullName, verificationRequired: ctx.ports.env.REQUIRE_EMAIL_VERIFICATION };
}

/** When two people register one address, only the mailbox can prove its owner: neither password is valid until then. */
async function registerAgain(
  ctx: Context,
  owner: UserModel,
  requested: { username: string | null; fullName: string | null },
): Promise<void> {
  await UserModel.query(ctx.db)
    .findById(owner.id)
    .whereNull('emailVerifiedAt')
    .whereNull('registeredAgainAt')
    .patch({ registeredAgainAt: ctx.now });
  await record(ctx, RegistrationRepeated, { target: owner, data: { ...owner.present(ctx.ids), requested } });
}

type NewAccount = Pick<Register, 'email' | 'username' | 'fullName'> &
  Partial<Pick<UserModel, 'role' | 'emailVerifiedAt'>> & { passwordHash: string | null };

/** A user and their personal organization, which holds their keys and usage until they create another. */
export async function createAccount(
  ctx: Context,
  account: NewAccount,
  type: EventType<typeof User> = UserRegistered,
): Promise<UserModel> {
  return transaction(ctx, async (ctx) => {
    const { emailVerifiedAt = null } = account;
    const organization = await createPersonalOrganization(ctx, account.fullName ?? account.username ?? account.email);
    const user = await UserModel.query(ctx.db)
      .insert({
        email: account.email,
        emailKey: emailKey(account.email),
        username: account.username ?? null,
        usernameKey: emailVerifiedAt && usernameKey(account.username),
        fullName: account.fullName ?? null,
        passwordHash: account.passwordHash,
        role: account.role ?? 'USER',
        emailVerifiedAt,
        defaultOrganizationId: organization.id,
        personalOrganizationId: organization.id,
        createdAt: ctx.now,
        updatedAt: ctx.now,
      })
      .returning('*');
    await addMember(ctx, organization, user.id, 'OWNER');
    await record(ctx, type, { target: user, after: user, data: user.present(ctx.ids) });
    return user;
  });
}
