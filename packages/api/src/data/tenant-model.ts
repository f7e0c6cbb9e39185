// biome-ignore-all lint/complexity/noThisInStatic: a static of every model, and only `this` says which one it is
import type { Knex } from '@rentapi/platform/database';
import type { PartialModelObject, QueryBuilder } from 'objection';
import { BaseModel, type ModelClass, queryOf } from './base-model.ts';
import { findRow, insertRow, type RowLock } from './rows.ts';

/** What every query of a tenant's rows needs: the database and the organization. */
export interface Tenancy {
  db: Knex;
  organization: { id: number };
}

/**
 * Marks a statement that reads rows of several organizations, or that looks for an actor whose organization is not
 * known yet. Tests run under a row-level security that refuses every other statement without an organization.
 */
export const ACROSS_ORGANIZATIONS = 'across organizations';

/**
 * A table whose rows belong to organizations. Queries begin with `of(ctx)`, which names the organization. `query()`
 * takes no arguments and throws, so a query without a tenant neither compiles nor runs.
 */
export abstract class TenantModel extends BaseModel {
  declare organizationId: number;

  static override query(): never {
    throw new Error(`${this.tableName} belongs to organizations: begin with ${this.name}.of(ctx)`);
  }

  /** The organization's rows. */
  static of<M extends TenantModel>(this: ModelClass<M>, { db, organization }: Tenancy): QueryBuilder<M, M[]> {
    return queryOf(this, db).where(`${this.tableName}.organizationId`, organization.id);
  }

  /** The organization's row that has these values, by a unique index; locked if the caller is to change it. */
  static find<M extends TenantModel>(
    this: ModelClass<M>,
    { db, organization }: Tenancy,
    where: object,
    lock?: RowLock,
  ): Promise<M | undefined> {
    return findRow(db, this, { ...where, organizationId: organization.id }, lock);
  }

  /** A new row of the organization, even if `fields` names another. */
  static add<M extends TenantModel>(
    this: ModelClass<M>,
    { db, organization }: Tenancy,
    fields: Omit<PartialModelObject<M>, 'organizationId'>,
  ): Promise<M> {
    return insertRow(db, this, { ...fields, organizationId: organization.id });
  }

  override get primaryKey(): object {
    return { organizationId: this.organizationId, id: this.id };
  }

  /** For the few lookups across organizations: who owns a token, or which organizations a user belongs to. */
  static acrossOrganizations<M extends TenantModel>(this: ModelClass<M>, db: Knex): QueryBuilder<M, M[]> {
    return queryOf(this, db).onBuildKnex((query: Knex.QueryBuilder) => query.comment(ACROSS_ORGANIZATIONS));
  }
}
