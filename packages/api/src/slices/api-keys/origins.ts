import { execute, type Knex, type Statement } from '@rentapi/platform/database';

/**
 * The conditions that the index has are repeated: else it is not used. It has no name, because few keys have origins,
 * and a plan that is kept from when there were none would read the whole table.
 */
const ORIGIN_OF_KEY: Statement = {
  text: `
    /* across organizations */
    select 1
    from api_keys k
    join organizations o on o.id = k.organization_id
    where k.allowed_origins @> array[$1::text] and k.allowed_origins <> '{}' and k.revoked_at is null
      and k.enabled and (k.expires_at is null or k.expires_at > now()) and o.deleted_at is null
    limit 1`,
};

/** Whether an active key of any organization works from this web origin. */
export async function isOriginOfKey(database: Knex, origin: string): Promise<boolean> {
  return (await execute(database, ORIGIN_OF_KEY, [origin])).length > 0;
}
