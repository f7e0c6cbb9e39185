import type { Knex } from '@rentapi/platform/database';
import { emailKey } from '@rentapi/platform/mail-address';
import { type Context, type OrganizationContext, type Ports, systemContext, type UserContext } from './context.ts';
import { type OrganizationRole, ROLE_PERMISSIONS } from './contract/permissions.ts';
import { NO_TERMS } from './contract/plans.ts';
import { transaction } from './data/transaction.ts';
import { seedActivity } from './demo-activity.ts';
import { seedBilling } from './demo-billing.ts';
import { createApiKey } from './slices/api-keys/service.ts';
import { createAccount } from './slices/auth/service/register.ts';
import { createInvitation } from './slices/invitations/service/send.ts';
import { addMember } from './slices/members/service/add.ts';
import { createOrganization } from './slices/organizations/service/create.ts';
import { addCreditPack } from './slices/payments/service/packs.ts';
import { setUserRoles } from './slices/roles/service/assign.ts';
import { createRole } from './slices/roles/service/write.ts';
import { UserModel } from './slices/users/model.ts';

/** Published in the README: only for a database that outsiders cannot reach. */
export const DEMO_ADMIN = { email: 'admin@example.com', password: 'Admin123!@#' };
const DEMO_PASSWORD = 'User123!@#';

const PEOPLE = [
  { ...DEMO_ADMIN, fullName: 'Admin', username: 'admin', role: 'SUPER_ADMIN' },
  { email: 'alice@enterprise.com', fullName: 'Alice Enterprise', username: 'alice', role: 'ADMIN' },
  { email: 'john@acme.com', fullName: 'John Doe', username: 'john', role: 'USER' },
  { email: 'jane@startup.io', fullName: 'Jane Roe', username: 'jane', role: 'USER' },
  { email: 'bob@freelance.dev', fullName: 'Bob Freelance', username: 'bob', role: 'USER' },
] as const;

interface DemoOrganization {
  name: string;
  slug: string;
  owner: string;
  members: Record<string, OrganizationRole>;
  invited: string;
}
interface SeededOrganization {
  founder: UserModel;
  organizationId: number;
  keyId: string;
}
const ORGANIZATIONS: DemoOrganization[] = [
  {
    name: 'Acme Inc.',
    slug: 'acme',
    owner: 'john',
    members: { alice: 'ADMIN', jane: 'MEMBER', bob: 'VIEWER' },
    invited: 'newcomer@acme.com',
  },
  { name: 'Startup', slug: 'startup', owner: 'jane', members: { bob: 'MEMBER' }, invited: 'john@acme.com' },
];

const PACKS = [
  { credits: 1000, currency: 'USD', amountMinor: 10_00 },
  { credits: 10_000, currency: 'USD', amountMinor: 90_00 },
];

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

/** Returns false and does nothing if an account exists. */
export async function seedDemoData(ports: Ports): Promise<boolean> {
  if (!(await isEmptyDatabase(ports.database))) return false;
  // One hash for the four accounts with the same password: hashing is slow on purpose.
  const [adminHash, userHash] = await Promise.all([
    ports.passwords.hash(DEMO_ADMIN.password),
    ports.passwords.hash(DEMO_PASSWORD),
  ]);
  const seeded = await transaction(systemContext(ports, 'seed'), async (ctx) => {
    const people: Record<string, UserModel> = {};
    for (const person of PEOPLE) {
      const passwordHash = person.email === DEMO_ADMIN.email ? adminHash : userHash;
      const user = await createAccount(ctx, { ...person, passwordHash, emailVerifiedAt: ctx.now });
      people[person.username] = user;
      await seedKeys(ownerOf(ctx, user, user.defaultOrganizationId));
    }
    for (const pack of PACKS) await addCreditPack(ctx, pack);
    const made = [];
    for (const demo of ORGANIZATIONS) made.push(await seedOrganization(ctx, people, demo));
    return { admin: people['admin']!, made };
  });
  // After the commit: days of the past may need partitions, whose lack would end the transaction.
  const [{ founder, organizationId, keyId }] = seeded.made as [SeededOrganization];
  const ctx = systemContext(ports, 'seed');
  await seedActivity(ownerOf(ctx, founder, organizationId), keyId);
  const at = (moment: Date) => systemContext({ ...ports, clock: { now: () => moment } }, 'seed');
  await seedBilling(ctx.now, {
    owner: (moment) => ownerOf(at(moment), founder, organizationId),
    staff: (moment) => ownerOf(at(moment), seeded.admin, seeded.admin.defaultOrganizationId),
  });
  return true;
}

/** Returns the id of the live key. */
async function seedKeys(owner: OrganizationContext): Promise<string> {
  const { id } = await createApiKey(owner, { name: 'Production', scopes: ['*'] });
  await createApiKey(owner, { name: 'Dashboard, read only', scopes: ['read:*'], environment: 'test' });
  return id;
}

/** An organization with members of every role, two custom roles (one inherits from the other), and keys. */
async function seedOrganization(
  ctx: Context,
  people: Record<string, UserModel>,
  { owner, members, invited, ...named }: (typeof ORGANIZATIONS)[number],
): Promise<SeededOrganization> {
  const founder = people[owner]!;
  const { id } = await createOrganization(ownerOf(ctx, founder, founder.defaultOrganizationId), named);
  const organizationId = ctx.ids.decode('org', id);
  const there = ownerOf(ctx, founder, organizationId);
  for (const [username, role] of Object.entries(members))
    await addMember(ctx, there.organization, people[username]!.id, role);
  const support = await createRole(there, {
    name: 'Support',
    description: 'Answers customers',
    permissions: ['members:invite', 'webhooks:test'],
  });
  const lead = await createRole(there, {
    name: 'Support lead',
    parentId: support.id,
    permissions: ['api_keys:delete', 'roles:assign'],
  });
  const [first] = Object.keys(members);
  await setUserRoles(there, { userId: ctx.ids.encode('usr', people[first!]!.id), roleIds: [lead.id] });
  await createInvitation(there, { orgId: id, email: invited, role: 'MEMBER' });
  return { founder, organizationId, keyId: await seedKeys(there) };
}

function ownerOf(ctx: Context, user: UserModel, organizationId: number): UserContext & OrganizationContext {
  const permissions = ROLE_PERMISSIONS.OWNER;
  const session = { id: 0, publicId: '', authenticatedAt: ctx.now };
  const terms = {
    plan: ctx.ports.env.DEFAULT_PLAN,
    planTerms: NO_TERMS,
    planEnd: null,
    override: null,
    callsUsedUpUntil: null,
  };
  return {
    ...ctx,
    actor: { kind: 'user', user, session, membership: { organizationId, role: 'OWNER', permissions, terms } },
    organization: { id: organizationId, permissions },
  };
}
