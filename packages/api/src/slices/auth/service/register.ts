import type { Context } from '../../../context.ts';
import { transaction } from '../../../data/transaction.ts';
import { record } from '../../../events/record.ts';
import { addMember } from '../../members/service/add.ts';
import { createPersonalOrganization } from '../../organizations/service/create.ts';
import { emailKey, UserModel, usernameKey } from '../../users/model.ts';
import { assertUsernameFree } from '../../users/service.ts';
import { RegistrationRepeated, UserRegistered } from '../events.ts';
import type { Register, RegistrationResult } from '../schemas.ts';

/** Answers alike, at the same cost, whether or not the address has an account: only its mailbox learns which. */
export async function register(ctx: Context, input: Register): Promise<RegistrationResult> {
  ctx.ports.passwords.assertUncommon(input.password, 'password');
  if (input.username) await assertUsernameFree(ctx, input.username);
  const passwordHash = await ctx.ports.passwords.hash(input.password);
  await transaction(ctx, async (ctx) => {
    // Of two registrations of one address at once, the second waits and finds the first.
    await ctx.db.raw('select pg_advisory_xact_lock(hashtextextended(?, 0))', [emailKey(input.email)]);
    const owner = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(input.email) });
    if (owner) await record(ctx, RegistrationRepeated, { target: owner, data: owner.present(ctx.ids) });
    else await createAccount(ctx, { ...input, passwordHash });
  });
  return {
    email: input.email,
    username: input.username ?? null,
    fullName: input.fullName ?? null,
    verificationRequired: ctx.ports.env.REQUIRE_EMAIL_VERIFICATION,
  };
}

type NewAccount = Pick<Register, 'email' | 'username' | 'fullName'> &
  Partial<Pick<UserModel, 'role' | 'emailVerifiedAt'>> & { passwordHash: string };

/** A person and their personal organization, which is where their keys and their usage live until they make another. */
export async function createAccount(ctx: Context, account: NewAccount): Promise<UserModel> {
  return transaction(ctx, async (ctx) => {
    const organization = await createPersonalOrganization(ctx, account.fullName ?? account.username ?? account.email);
    const user = await UserModel.query(ctx.db)
      .insert({
        email: account.email,
        emailKey: emailKey(account.email),
        username: account.username ?? null,
        usernameKey: usernameKey(account.username),
        fullName: account.fullName ?? null,
        passwordHash: account.passwordHash,
        role: account.role ?? 'USER',
        emailVerifiedAt: account.emailVerifiedAt ?? null,
        defaultOrganizationId: organization.id,
        personalOrganizationId: organization.id,
        createdAt: ctx.now,
        updatedAt: ctx.now,
      })
      .returning('*');
    await addMember(ctx, organization, user.id, 'OWNER');
    await record(ctx, UserRegistered, { target: user, after: user, data: user.present(ctx.ids) });
    return user;
  });
}
