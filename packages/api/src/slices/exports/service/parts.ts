import type { Knex } from '@rentapi/platform/database';
import type { Context } from '../../../context.ts';
import { ACROSS_ORGANIZATIONS } from '../../../data/tenant-model.ts';
import { ApiKeyModel } from '../../api-keys/model.ts';
import type { MemberModel } from '../../members/model.ts';
import { membershipsOf } from '../../members/service/find.ts';
import { OrganizationModel } from '../../organizations/model.ts';
import { SecurityEventModel } from '../../security-events/model.ts';
import type { UserModel } from '../../users/model.ts';

/** One file of an export. What `rows` yields is public: no hash, no secret, no row id, and no one else's data. */
interface Part {
  name: string;
  /** Whose rows it has, of those that erasing deletes: a test finds the table that no part has. */
  tables?: readonly string[];
  rows(ctx: Context, user: UserModel): AsyncIterable<unknown>;
}

const BATCH = 500;

/** Rows of a user in one table, by the columns that are theirs to know. */
const ownRows = (name: string, table: string, columns: readonly string[]): Part => ({
  name,
  tables: [table],
  rows: ({ db }, { id: userId }) => withoutId(rowsOf(db, table, { userId }, columns)),
});

/** All rows of a query, in order of a column that is unique, in the memory of one batch. */
async function* all<Row>(by: keyof Row & string, query: (after: number) => PromiseLike<Row[]>): AsyncGenerator<Row> {
  for (let after = 0; ; ) {
    const rows = await query(after);
    yield* rows;
    if (rows.length < BATCH) return;
    after = Number(rows.at(-1)![by]);
  }
}

/** Named columns of a table of a slice above this one. */
const rowsOf = (db: Knex, table: string, where: object, columns: readonly string[]) =>
  all<{ id: number }>('id', (after) =>
    db(table)
      .comment(ACROSS_ORGANIZATIONS)
      .where(where)
      .where('id', '>', after)
      .orderBy('id')
      .limit(BATCH)
      .select('id', ...columns),
  );

async function* withoutId(rows: AsyncIterable<{ id: number }>): AsyncGenerator<object> {
  for await (const { id: _, ...row } of rows) yield row;
}

export const PARTS: readonly Part[] = [
  {
    name: 'profile.json',
    async *rows({ ids }, user) {
      yield user.present(ids);
    },
  },
  {
    name: 'organizations.json',
    async *rows(ctx, user) {
      const mine = (after: number) =>
        membershipsOf(ctx, user.id).where('id', '>', after).orderBy('id').limit(BATCH).execute();
      for await (const member of all<MemberModel>('id', mine)) {
        const organization = await OrganizationModel.query(ctx.db).findById(member.organizationId).throwIfNotFound();
        yield { ...organization.present(ctx.ids), role: member.role, joinedAt: member.createdAt };
      }
    },
  },
  ownRows('sessions.json', 'sessions', ['publicId', 'ip', 'userAgent', 'createdAt', 'expiresAt', 'revokedAt']),
  ownRows('identities.json', 'user_identities', ['provider', 'issuer', 'subject', 'email', 'createdAt', 'lastUsedAt']),
  ownRows('passkeys.json', 'passkeys', ['name', 'transports', 'createdAt', 'lastUsedAt']),
  ownRows('authenticator-apps.json', 'totp_factors', ['createdAt', 'confirmedAt']),
  ownRows('backup-codes.json', 'backup_codes', ['createdAt']),
  ownRows('two-factor-resets.json', 'two_factor_resets', ['createdAt', 'effectiveAt']),
  ownRows('trusted-devices.json', 'trusted_devices', ['createdAt', 'expiresAt']),
  ownRows('email-changes.json', 'email_changes', ['oldEmail', 'newEmail', 'createdAt', 'confirmedAt', 'expiresAt']),
  {
    name: 'networks.json',
    tables: ['sign_in_sources'],
    async *rows({ db }, { id: userId }) {
      for (let after = ['', '']; ; ) {
        const rows: { network: string; device: string; usedAt: Date }[] = await db('sign_in_sources')
          .where({ userId })
          .whereRaw('(network, device) > (?, ?)', after)
          .orderBy(['network', 'device'])
          .limit(BATCH)
          .select('network', 'device', 'usedAt');
        yield* rows;
        if (rows.length < BATCH) return;
        const { network, device } = rows.at(-1)!;
        after = [network, device];
      }
    },
  },
  {
    name: 'security-events.json',
    tables: ['security_events'],
    async *rows({ db, ids }, { id: userId }) {
      const mine = (after: number) =>
        SecurityEventModel.query(db).where({ userId }).where('id', '>', after).orderBy('id').limit(BATCH).execute();
      for await (const event of all<SecurityEventModel>('id', mine)) yield event.present(ids);
    },
  },
  {
    name: 'api-keys.json',
    async *rows(ctx, { id: createdBy }) {
      // A key belongs to its organization: only those where its creator is still a member.
      const organizations = (await membershipsOf(ctx, createdBy)).map(({ organizationId }) => organizationId);
      const mine = (after: number) =>
        ApiKeyModel.acrossOrganizations(ctx.db)
          .where({ createdBy })
          .whereIn('organizationId', organizations)
          .where('id', '>', after)
          .orderBy('id')
          .limit(BATCH)
          .execute();
      for await (const key of all<ApiKeyModel>('id', mine)) yield key.present(ctx.ids);
    },
  },
  ownRows('chat-messages.json', 'chat_messages', ['text', 'createdAt', 'updatedAt']),
  {
    name: 'invitations.json',
    async *rows({ db }, { id, emailKey, emailVerifiedAt }) {
      const columns = ['email', 'role', 'status', 'createdAt', 'expiresAt'] as const;
      yield* withoutId(rowsOf(db, 'organization_invitations', { formerUserId: id }, columns));
      if (!emailVerifiedAt) return; // the address may be another person's
      yield* withoutId(rowsOf(db, 'organization_invitations', { emailKey }, columns));
    },
  },
  {
    name: 'actions.json',
    async *rows(ctx, { id: actorId }) {
      const organizations = (await membershipsOf(ctx, actorId)).map(({ organizationId }) => organizationId);
      for (const organizationId of [null, ...organizations]) {
        // Without the values before and after, which are often about others.
        const mine = (after: number) =>
          ctx
            .db('audit_logs')
            .where({ organizationId, actorKind: 'user', actorId })
            .where('position', '>', after)
            .orderBy('position')
            .limit(BATCH)
            .select('position', 'action', 'ip', 'userAgent', 'requestId', 'createdAt');
        const organization = organizationId === null ? null : ctx.ids.encode('org', organizationId);
        for await (const { position: _, ...entry } of all<{ position: number }>('position', mine))
          yield { organizationId: organization, ...entry };
      }
    },
  },
];
