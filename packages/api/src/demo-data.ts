import type { Knex } from '@rentapi/platform/database';
import { type OrganizationContext, type Ports, systemContext } from './context.ts';
import { ROLE_PERMISSIONS } from './contract/permissions.ts';
import { createApiKey } from './slices/api-keys/service.ts';
import { createAccount } from './slices/auth/service/register.ts';
import { emailKey, UserModel } from './slices/users/model.ts';
import { transaction } from './transaction.ts';

/** Published in the README: only for a database that nobody else can reach. */
export const DEMO_ADMIN = { email: 'admin@example.com', password: 'Admin123!@#' };
const DEMO_PASSWORD = 'User123!@#';

const PEOPLE = [
  { ...DEMO_ADMIN, fullName: 'Admin', username: 'admin', role: 'SUPER_ADMIN' },
  { email: 'alice@enterprise.com', fullName: 'Alice Enterprise', username: 'alice', role: 'ADMIN' },
  { email: 'john@acme.com', fullName: 'John Doe', username: 'john', role: 'USER' },
  { email: 'jane@startup.io', fullName: 'Jane Roe', username: 'jane', role: 'USER' },
  { email: 'bob@freelance.dev', fullName: 'Bob Freelance', username: 'bob', role: 'USER' },
] as const;

export async function isEmptyDatabase(database: Knex): Promise<boolean> {
  return !(await UserModel.query(database).select('id').first());
}

export async function hasDemoAccounts(database: Knex): Promise<boolean> {
  return Boolean(
    await UserModel.query(database)
      .whereIn(
        'emailKey',
        PEOPLE.map(({ email }) => emailKey(email)),
      )
      .select('id')
      .first(),
  );
}

/** False, and nothing done, where anybody has registered already. */
export async function seedDemoData(ports: Ports): Promise<boolean> {
  if (!(await isEmptyDatabase(ports.database))) return false;
  // One hash for the four that share a password: hashing is slow on purpose.
  const [adminHash, userHash] = await Promise.all([
    ports.passwords.hash(DEMO_ADMIN.password),
    ports.passwords.hash(DEMO_PASSWORD),
  ]);
  await transaction(systemContext(ports, 'seed'), async (ctx) => {
    for (const person of PEOPLE) {
      const passwordHash = person.email === DEMO_ADMIN.email ? adminHash : userHash;
      const user = await createAccount(ctx, { ...person, passwordHash, emailVerifiedAt: ctx.now });
      const owner: OrganizationContext = {
        ...ctx,
        actor: { kind: 'user', user, session: { id: 0, publicId: '', authenticatedAt: ctx.now }, membership: null },
        organization: { id: user.defaultOrganizationId, permissions: ROLE_PERMISSIONS.OWNER },
      };
      await createApiKey(owner, { name: 'Production', scopes: ['*'] });
      await createApiKey(owner, { name: 'Dashboard, read only', scopes: ['read:*'], environment: 'test' });
    }
  });
  return true;
}
