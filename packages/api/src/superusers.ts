import type { Knex } from '@rentapi/platform/database';
import { describeIssue } from '@rentapi/platform/describe-issue';
import { emailKey } from '@rentapi/platform/mail-address';
import type { z } from 'zod';
import { type Ports, systemContext } from './context.ts';
import { change } from './data/base-model.ts';
import { transaction } from './data/transaction.ts';
import { record } from './events/record.ts';
import { refusalOf } from './slices/auth/password-policy.ts';
import { NewPassword } from './slices/auth/schemas.ts';
import { createAccount } from './slices/auth/service/register.ts';
import { endAccess } from './slices/auth/service/verify-email.ts';
import { endWaysIn } from './slices/auth/service/ways-in.ts';
import { UserUpdated } from './slices/users/events.ts';
import { UserModel } from './slices/users/model.ts';
import { EmailAddress } from './slices/users/schemas.ts';

export async function hasSuperAdmin(database: Knex): Promise<boolean> {
  return Boolean(await UserModel.query(database).findOne({ role: 'SUPER_ADMIN', status: 'ACTIVE' }).select('id'));
}

/**
 * Creates the account, or makes an existing one SUPER_ADMIN and sets this password. What opens
 * it ends: otherwise the person who registered the address first would be the platform's administrator.
 */
export async function ensureSuperAdmin(
  ports: Ports,
  given: { email: string; password: string },
): Promise<{ existed: boolean }> {
  const email = read('address', EmailAddress, given.email);
  const password = read('password', NewPassword, given.password);
  const refusal = await refusalOf(password, { hosts: [new URL(ports.env.PUBLIC_URL).hostname], email, names: [] });
  if (refusal) throw new Error(`The password ${refusal}.`);
  const passwordHash = await ports.passwords.hash(password);
  return transaction(systemContext(ports, 'create-admin'), async (ctx) => {
    const before = await UserModel.query(ctx.db)
      .findOne({ emailKey: emailKey(email) })
      .forUpdate();
    const account = { passwordHash, role: 'SUPER_ADMIN' as const, emailVerifiedAt: ctx.now };
    if (!before) {
      await createAccount(ctx, { email, ...account });
      return { existed: false };
    }
    if (before.status === 'DELETED')
      throw new Error('The account of this address was deleted: restore it first, or use another address.');
    const own = before.emailVerifiedAt ? before : await endWaysIn(ctx, before);
    const after = await change(ctx, own, { ...account, status: 'ACTIVE', registeredAgainAt: null });
    await endAccess(ctx, after);
    await record(ctx, UserUpdated, { target: after, before, after, data: after.present(ctx.ids) });
    return { existed: true };
  });
}

/** An operator reads the failure at a terminal, so it is one sentence. */
function read(name: string, schema: z.ZodType<string>, value: string): string {
  const { data, error } = schema.safeParse(value);
  if (error) throw new Error(`The ${name} ${describeIssue(error.issues[0]!)}.`);
  return data;
}
