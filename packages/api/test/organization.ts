import type { OrganizationRole } from '@rentapi/api/contract/permissions';
import type { Knex } from '@rentapi/platform/database';
import { type Answer, eventually, type Person, type Request, type TestApp } from './app.ts';

/** An organization with an owner, and ways to fill it. Requests of `as` are made in it. */
export async function makeOrganization(app: TestApp, owner?: Person, body: object = { name: 'Acme' }) {
  const founder = owner ?? (await app.signUp());
  const { body: made } = await founder.request('/api/v1/organizations', { method: 'POST', body });
  const id: string = made.id;
  const path = `/api/v1/organizations/${id}`;
  const organizationId = app.ports.ids.decode('org', id);

  const as =
    (person: Person) =>
    (url: string, request: Request = {}) =>
      person.request(url, { ...request, headers: { 'x-organization-id': id, ...request.headers } });

  async function join(role: OrganizationRole, person?: Person): Promise<Person> {
    const joining = person ?? (await app.signUp());
    await app.ports.database('organization_members').insert({
      organizationId,
      userId: app.ports.ids.decode('usr', joining.id),
      role,
      createdAt: new Date(),
    });
    return joining;
  }

  /** A custom role, made by the owner and not assigned yet. */
  async function role(name: string, permissions: string[], parentId?: string): Promise<string> {
    const { body } = await as(founder)('/api/v1/roles', { method: 'POST', body: { name, permissions, parentId } });
    return body.id;
  }

  const assign = (by: Person, to: Person, roleIds: string[]) =>
    as(by)(`/api/v1/users/${to.id}/roles`, { method: 'PUT', body: { roleIds } });
  const setRole = (by: Person, of: Person, role: string) =>
    by.request(`${path}/members/${of.id}`, { method: 'PATCH', body: { role } });
  async function owners(): Promise<string[]> {
    const rows = await app.ports.database('organization_members').where({ organizationId, role: 'OWNER' });
    return rows.map(({ userId }) => app.ports.ids.encode('usr', userId));
  }

  /** The answer to a request that gets the authority lock only after `change` is committed. */
  const overtaken = (request: () => Promise<Answer>, change: Change) =>
    overtake(app, { lock: (db) => db('organizations').where({ id: organizationId }).forUpdate(), request, change });

  return { id, path, organizationId, made, owner: founder, as, join, role, assign, setRole, owners, overtaken };
}

export type TestOrganization = Awaited<ReturnType<typeof makeOrganization>>;

/** Status and code, or just the status of a success. */
export const statusAndCode = ({ status, body }: { status: number; body: { code?: string } }) =>
  body?.code ? [status, body.code] : [status];

type Change = (db: Knex.Transaction) => PromiseLike<unknown>;

/** The answer to a request that waits for `lock` until `change` is committed. */
export async function overtake(
  app: TestApp,
  { lock, request, change }: { lock: Change; request: () => Promise<Answer>; change: Change },
): Promise<Answer> {
  const sent = await app.rows.transaction(async (db) => {
    await lock(db);
    const answer = request();
    const waiting = () => db('pg_stat_activity').whereRaw('pg_backend_pid() = any(pg_blocking_pids(pid))').first();
    await eventually(waiting, 'the request to wait');
    await change(db);
    return { answer };
  });
  return sent.answer;
}
