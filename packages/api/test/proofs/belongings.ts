import { randomUUID } from 'node:crypto';
import type { Fixture } from './world.ts';

/** One row of every kind that has a public id, made in this organization by its owner: what a stranger might ask for. */
export async function ownedIds(world: Fixture): Promise<Record<string, string>> {
  const { members, organizationId, key } = world;
  return {
    org: organizationId,
    usr: members.MEMBER.id,
    key: (await key(['read:*'])).id,
    rol: await someRole(world),
    inv: await someInvitation(world),
    evt: await someEvent(world),
  };
}

async function someRole({ owner, here }: Fixture): Promise<string> {
  const name = randomUUID();
  const { body } = await owner.request('/api/v1/roles', {
    method: 'POST',
    headers: here,
    body: { name, permissions: [] },
  });
  return body.id;
}

async function someInvitation({ app, owner, organizationId }: Fixture): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  const { body } = await owner.request(`/api/v1/organizations/${organizationId}/invitations`, {
    method: 'POST',
    body: { email, role: 'VIEWER' },
  });
  await app.mailTo(email); // from here on nothing changes by itself
  return body.id;
}

async function someEvent({ app, organizationId }: Fixture): Promise<string> {
  const event = await app.ports
    .database('events')
    .where({ organizationId: app.ports.ids.decode('org', organizationId) })
    .first('id');
  return app.ports.ids.encode('evt', event.id);
}
