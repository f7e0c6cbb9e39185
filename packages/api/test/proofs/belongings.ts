import type { World } from './world.ts';

/** One row of every kind that has a public id, made in this organization by its owner: what a stranger might ask for. */
export async function belongings(world: World): Promise<Record<string, string>> {
  const { members, organizationId, key } = world;
  return {
    org: organizationId,
    usr: members.MEMBER.id,
    key: (await key(['read:*'])).id,
    evt: await someEvent(world),
  };
}

async function someEvent({ app, organizationId }: World): Promise<string> {
  const event = await app.ports
    .database('events')
    .where({ organizationId: app.ports.ids.decode('org', organizationId) })
    .first('id');
  return app.ports.ids.encode('evt', event.id);
}
