import { createHmac } from 'node:crypto';
import pg from 'pg';

export interface ServingLogin {
  user: string;
  password: string;
}

const TAKEN = ['42710', '23505'];

/** Its password comes from the owner's, so that a cluster of an earlier release needs no further file. */
export function servingLogin(ownerPassword: string): ServingLogin {
  return {
    user: 'rentapi_serving',
    password: createHmac('sha256', ownerPassword).update('rentapi_serving').digest('base64url'),
  };
}

/** Creates the role under which the server works, which owns nothing. Several processes may do this at once. */
export async function createServingRole(client: pg.Client, { user, password }: ServingLogin): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [user]);
  if (rowCount) return;
  await client.query(`create role ${user} login password ${pg.escapeLiteral(password)}`).catch((error: unknown) => {
    if (!TAKEN.includes((error as pg.DatabaseError).code ?? '')) throw error;
  });
}

/** The owner's password may have been changed since the role was created. */
export async function renewPassword(client: pg.Client, { user, password }: ServingLogin): Promise<void> {
  await client.query(`alter role ${user} password ${pg.escapeLiteral(password)}`);
}
