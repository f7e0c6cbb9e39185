import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { systemContext } from '@rentapi/api/context';
import { ID_KINDS } from '@rentapi/api/contract/ids';
import { BaseModel } from '@rentapi/api/data/base-model';
import { type AnyFacts, kindOf, type ModelFacts } from '@rentapi/api/data/model-facts';
import { transaction } from '@rentapi/api/data/transaction';
import { event } from '@rentapi/api/events/event';
import { record } from '@rentapi/api/events/record';
import type { ApiKeyModel } from '@rentapi/api/slices/api-keys/model';
import { AUDITED_MODELS } from '@rentapi/api/slices/audited-models';
import { RefreshTokenModel } from '@rentapi/api/slices/auth/model';
import type { UserModel } from '@rentapi/api/slices/users/model';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually, startApp, type TestApp } from './app.ts';
import { makeOrganization } from './organization.ts';

/** Models whose rows have no audit entry of their own, and why. */
const NOT_AUDITED: Record<string, string> = {
  AttemptModel: 'is a log itself',
  AuditLogModel: 'is the audit log',
  BackupCodeModel: 'changes with its user, who is recorded',
  BillingFindingModel: 'is a log itself',
  CreditEntryModel: 'is a log itself',
  CreditPriceModel: 'is written by the operator',
  CreditPurchaseModel: 'is made with its payment, which is recorded',
  DeliveryModel: 'is a log itself; what is sent again by hand shows in its attempts',
  EmailChangeModel: 'changes with its user, who is recorded',
  InvoiceLineModel: 'fixed with its invoice, which is recorded',
  OAuthCodeModel: 'becomes a session, which is recorded',
  OldSecretModel: 'changes with its key, which is recorded',
  PasskeyChallengeModel: 'becomes a session or a passkey',
  PasskeyModel: 'changes with its user, who is recorded',
  PaymentCustomerModel: 'is made with a method, which is recorded',
  PlanModel: 'is changed by operators, as owners of the database',
  PriceModel: 'is changed by operators, as owners of the database',
  RefreshTokenModel: 'changes with its session, which is recorded',
  RoleAssignmentModel: 'changes with its member, who is recorded',
  SecurityEventModel: 'is a log itself',
  SignInChallengeModel: 'becomes a session, which is recorded',
  TotpFactorModel: 'changes with its user, who is recorded',
  TrustedDeviceModel: 'changes with a session, which is recorded',
  TwoFactorResetModel: 'changes with its user, who is recorded',
  UserDeletionModel: 'changes with its user, who is recorded',
  UserIdentityModel: 'changes with its user, who is recorded',
  VerificationTokenModel: 'changes with its user, who is recorded',
};

/** Columns with such names are credentials, or search keys that only the server knows. */
const SECRET =
  /hash|secret|password|passphrase|sealed|token|seed|credential|private|signing|backup|connection|salt|Key$/i;

type Model = typeof BaseModel & { prototype: { facts?: AnyFacts } };

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

/** Every model of every slice, whether it is registered or not. */
async function allModels(): Promise<Model[]> {
  const slices = path.join(import.meta.dirname, '../src/slices');
  const files = (await readdir(slices, { recursive: true })).filter((file) => path.basename(file) === 'model.ts');
  const modules = await Promise.all(files.map((file) => import(path.join(slices, file)) as Promise<object>));
  return modules.flatMap((module) => Object.values(module).filter((value) => value.prototype instanceof BaseModel));
}

const audited = AUDITED_MODELS.map(({ tableName, prototype: { facts } }) => ({ table: tableName, facts }));
const kept = ({ keep, refs }: AnyFacts) => [...keep, ...Object.keys(refs)];

async function columnsOf(table: string): Promise<{ name: string; type: string }[]> {
  const columns: { columnName: string; dataType: string }[] = await app
    .rows('information_schema.columns')
    .where({ tableSchema: 'public', tableName: table })
    .select('columnName', 'dataType');
  return columns.map(({ columnName, dataType }) => ({ name: camelCase(columnName), type: dataType }));
}

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

describe('facts of models', () => {
  it('are declared by every model, unless it is listed as not audited', async () => {
    const models = await allModels();
    const without = models.filter(({ prototype }) => !prototype.facts).map(({ name }) => name);
    expect(without.sort()).toEqual(Object.keys(NOT_AUDITED));
    const declared = models.filter(({ prototype }) => prototype.facts).map(({ tableName }) => tableName);
    expect(audited.map(({ table }) => table).sort()).toEqual(declared.sort());
  });

  it('give each kind of target a unique name', () => {
    const kinds = audited.map(({ facts }) => kindOf(facts));
    expect(new Set(kinds).size).toBe(kinds.length);
    const named = audited.filter(({ facts }) => !facts.id).map(({ facts }) => kindOf(facts));
    expect(named.filter((kind) => Object.values(ID_KINDS).some((known) => known.kind === kind))).toEqual([]);
  });

  it('are checked by the compiler', () => {
    const missing: ModelFacts<ApiKeyModel> = {
      id: 'key',
      // @ts-expect-error: there is no such column
      keep: ['nickname'],
      refs: {},
    };
    const bytes: ModelFacts<ApiKeyModel> = {
      id: 'key',
      // @ts-expect-error: bytes are hashes or sealed
      keep: ['secretHash'],
      refs: {},
    };
    const rowId: ModelFacts<UserModel> = {
      id: 'usr',
      // @ts-expect-error: the id of a row is kept as a reference only
      keep: ['defaultOrganizationId'],
      // @ts-expect-error: a name refers to no row
      refs: { fullName: 'usr' },
    };
    // @ts-expect-error: what has a public id is called by the kind of its prefix
    const both: ModelFacts<UserModel> = { id: 'usr', kind: 'person', keep: [], refs: {} };
    expect([missing, bytes, rowId, both]).toHaveLength(4);
  });

  it('are required by record() at compile time', async () => {
    const ctx = systemContext(app.ports, 'test');
    const target = RefreshTokenModel.hydrate({ id: 1 });
    // @ts-expect-error: a model without facts
    await expect(transaction(ctx, (ctx) => record(ctx, Filled, { target, data: {} }))).rejects.toThrow();
  });
});

const Filled = event('test.filled', {
  data: z.object({}),
  audience: 'internal',
  description: 'A row was filled.',
  example: {},
});

describe.each(audited)('the audit log of $table', ({ table, facts }) => {
  it('stores the listed columns of a row with all columns filled, and nothing of the others', async () => {
    const columns = await columnsOf(table);
    const Model = (await allModels()).find(({ tableName }) => tableName === table)!;
    const row = Object.assign(Object.create(Model.prototype), {
      ...Object.fromEntries(columns.map(({ name }) => [name, `value of ${name}`])),
      id: 77,
    });
    const requestId = `filled-${table}`;
    const ctx = systemContext(app.ports, requestId);
    await transaction(ctx, (ctx) => record(ctx, Filled, { target: row, before: row, after: row, data: {} }));
    const [entry, ...others] = await app.rows('audit_logs').where({ requestId });
    expect(others).toEqual([]);
    const allowed = Object.fromEntries(kept(facts).map((name) => [name, `value of ${name}`]));
    expect(entry).toMatchObject({ targetKind: table, targetId: 77 });
    expect([entry.before, entry.after]).toEqual([
      { id: 77, ...allowed },
      { id: 77, ...allowed },
    ]);
    const dropped = columns.filter(({ name }) => name !== 'id' && !kept(facts).includes(name));
    for (const { name } of dropped) expect(JSON.stringify(entry)).not.toContain(`value of ${name}"`);
  });

  it('stores neither bytes nor columns named like a secret, and lists only columns that exist', async () => {
    const columns = new Map((await columnsOf(table)).map(({ name, type }) => [name, type]));
    expect(kept(facts).filter((name) => !columns.has(name))).toEqual([]);
    expect(kept(facts).filter((name) => columns.get(name) === 'bytea')).toEqual([]);
    expect(facts.keep.filter((name) => SECRET.test(name))).toEqual([]);
  });

  it('stores ids of other rows as references, each with the prefix of the table that it refers to', async () => {
    const { rows }: { rows: { column: string; target: string }[] } = await app.rows.raw(
      `select own.attname as "column", c.confrelid::regclass::text as target
       from pg_constraint c
       cross join unnest(c.conkey, c.confkey) as pair (own_number, target_number)
       join pg_attribute own on own.attrelid = c.conrelid and own.attnum = pair.own_number
       join pg_attribute other on other.attrelid = c.confrelid and other.attnum = pair.target_number
       where c.contype = 'f' and c.conrelid = ?::regclass and other.attname = 'id'`,
      [table],
    );
    const references = rows.map(({ column, target }) => ({
      column: camelCase(column),
      prefix: audited.find((model) => model.table === target)?.facts.id,
    }));
    expect(references.filter(({ column }) => facts.keep.includes(column))).toEqual([]);
    for (const { column, prefix } of references)
      if (Object.hasOwn(facts.refs, column)) expect([column, facts.refs[column]]).toEqual([column, prefix]);
  });
});

describe('cached permissions', () => {
  const invalidating = AUDITED_MODELS.filter(({ prototype }) => prototype.facts.invalidates);
  /** The server never changes these, so no code has to name the key. */
  const ofOperators = [{ tableName: 'plans' }];

  it('are invalidated by exactly the tables that have the trigger, for every update and delete', async () => {
    const { rows }: { rows: { table: string; complete: boolean }[] } = await app.rows.raw(
      // Bits of tgtype: 1 for each row, 2 before, 8 delete, 16 update.
      `select tgrelid::regclass::text as "table",
              tgtype & 1 = 1 and tgtype & 2 = 0 and tgtype & 24 = 24 and tgenabled = 'O' and tgqual is null
                and tgattr::text = '' as complete
       from pg_trigger where tgfoid = 'tell_actors'::regproc order by 1`,
    );
    const expected = [...invalidating, ...ofOperators].map(({ tableName }) => ({ table: tableName, complete: true }));
    expect(rows).toEqual(expected.sort(byTable));
  });

  it('are invalidated by a trigger under the key that the facts name', async () => {
    const acme = await makeOrganization(app);
    const body = { name: 'CI', scopes: ['org:read'] };
    await acme.as(acme.owner)('/api/v1/api-keys', { method: 'POST', body });
    const received: string[] = [];
    const listener = new pg.Client(app.databaseUrl);
    listener.on('notification', ({ payload }) => received.push(payload!));
    await listener.connect();
    await listener.query('listen actors');
    for (const model of invalidating) {
      const columns = await app.rows(model.tableName).first();
      expect(columns, `no row of ${model.tableName}: make one above`).toBeDefined();
      const row = Object.assign(Object.create(model.prototype), columns);
      const key = model.prototype.facts.invalidates!(row);
      received.length = 0;
      await app.rows(model.tableName).where({ id: row.id }).update({ createdAt: row.createdAt });
      await eventually(() => received[0], `the trigger of ${model.tableName}`);
      expect(received).toEqual([key]);
    }
    await listener.end();
  });
});

const byTable = (a: { table: string }, b: { table: string }) => (a.table < b.table ? -1 : 1);
