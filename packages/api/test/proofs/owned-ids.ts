import type { IdPrefix } from '@rentapi/api/contract/ids';
import type { Fixture } from './fixture.ts';
import { sliceProofs } from './slice-proofs.ts';

type Make = (fixture: Fixture) => Promise<string>;

const makers: Partial<Record<IdPrefix, Make>> = {
  org: async ({ organizationId }) => organizationId,
  usr: async ({ members }) => members.MEMBER.id,
  ...Object.assign({}, ...sliceProofs.map(({ ownedIds }) => ownedIds)),
  evt: async ({ app, organizationId }) => {
    const event = await app.ports
      .database('events')
      .where({ organizationId: app.ports.ids.decode('org', organizationId) })
      .first('id');
    return app.ports.ids.encode('evt', event.id);
  },
};

/** The kinds of rows with a public id that can be made in an organization. */
export const OWNED_KINDS = Object.keys(makers) as IdPrefix[];

/** A row of each of these kinds, made in this organization by its owner: what a stranger might request. */
export async function ownedIds(
  fixture: Fixture,
  kinds: Iterable<IdPrefix>,
): Promise<Partial<Record<IdPrefix, string>>> {
  const made: Partial<Record<IdPrefix, string>> = {};
  for (const kind of new Set(kinds)) {
    const make = makers[kind];
    if (make) made[kind] = await make(fixture);
  }
  return made;
}
