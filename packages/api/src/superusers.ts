import type { Knex } from '@rentapi/platform/database';
import { describeIssue } from '@rentapi/platform/describe-issue';
import type { z } from 'zod';
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
export async function ensureSuperAdmin(
  ports: Ports,
  given: { email: string; password: string },
): Promise<{ existed: boolean }> {
  const email = read('address', EmailAddress, given.email);
  const password = read('password', NewPassword, given.password);
  const passwordHash = await ports.passwords.hash(password);
  return transaction(systemContext(ports, 'create-admin'), async (ctx) => {
    const existing = await UserModel.query(ctx.db).findOne({ emailKey: emailKey(email) });
    const account = { passwordHash, role: 'SUPER_ADMIN' as const, emailVerifiedAt: ctx.now };
    if (existing)
      await UserModel.query(ctx.db)
        .findById(existing.id)
        .patch({ ...account, updatedAt: ctx.now });
    else await createAccount(ctx, { email, ...account });
    return { existed: Boolean(existing) };
  });
}

/** An operator reads the failure at a terminal: one sentence. */
function read(name: string, schema: z.ZodType<string>, value: string): string {
  const { data, error } = schema.safeParse(value);
  if (error) throw new Error(`The ${name} ${describeIssue(error.issues[0]!)}.`);
  return data;
}
