import type { Knex } from '@rentapi/platform/database';
import { type Ports, systemContext } from './context.ts';
import { NewPassword } from './slices/auth/schemas.ts';
import { createAccount } from './slices/auth/service/register.ts';
import { emailKey, UserModel } from './slices/users/model.ts';
import { EmailAddress } from './slices/users/schemas.ts';
import { transaction } from './transaction.ts';

export async function hasSuperAdmin(database: Knex): Promise<boolean> {
  return Boolean(await UserModel.query(database).findOne({ role: 'SUPER_ADMIN' }).select('id'));
}

/** Makes the account, or makes an existing one SUPER_ADMIN; its password is then what is given here. */
export async function ensureSuperAdmin(ports: Ports, given: { email: string; password: string }): Promise<void> {
  const email = EmailAddress.parse(given.email);
  const password = NewPassword.parse(given.password);
  const passwordHash = await ports.passwords.hash(password);
  await transaction(systemContext(ports, 'create-admin'), async (ctx) => {
    const existing = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(email) });
    const account = { passwordHash, role: 'SUPER_ADMIN' as const, emailVerifiedAt: ctx.now };
    if (existing)
      await UserModel.query(ctx.db)
        .findById(existing.id)
        .patch({ ...account, updatedAt: ctx.now });
    else await createAccount(ctx, { email, ...account });
  });
}
