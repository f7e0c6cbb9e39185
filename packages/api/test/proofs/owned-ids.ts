import type { Fixture } from './fixture.ts';
import { sliceProofs } from './slice-proofs.ts';

/**
 * One row of every kind that has a public id, made in this organization by its owner: what a stranger might request.
 */
export async function ownedIds(fixture: Fixture): Promise<Record<string, string>> {
  const { members, organizationId } = fixture;
  const made: Record<string, string> = { org: organizationId, usr: members.MEMBER.id };
  for (const { ownedIds = {} } of sliceProofs) {
    for (const [prefix, make] of Object.entries(ownedIds)) made[prefix] = await make(fixture);
  }
  return { ...made, evt: await someEvent(fixture) };
}

async function someEvent({ app, organizationId }: Fixture): Promise<string> {
  const event = await app.ports
    .database('events')
    .where({ organizationId: app.ports.ids.decode('org', organizationId) })
    .first('id');
  return app.ports.ids.encode('evt', event.id);
}
